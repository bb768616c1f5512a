"""A trb.yaml with one mistake each in its pipelines; the page about pipelines shows the same table."""

from typing import Final, NamedTuple

MODELS: Final = """\
triton: "24.10"
models:
  tokens:
    source: steps:tokens
    backend: python
    inputs: {text: {dtype: string, shape: [batch, 1]}}
    outputs: {ids: {dtype: int64, shape: [batch, length]}, count: {dtype: int64, shape: [batch]}}
    samples: texts.npz
  crop:
    source: steps:crop
    backend: python
    inputs: {ids: {dtype: int64, shape: [batch, length], range: [0, 99]}}
    outputs: {pieces: {dtype: int64, shape: [batch, length]}}
    dims: {length: {max: 512}}
  encoder:
    source: nets:encoder
    inputs: {ids: {dtype: int64, shape: [rows, length], range: [0, 99]}}
    output_names: [vector]
    outputs: {vector: {dtype: fp32, shape: [rows, 8]}}
    dims: {length: {max: 128}, rows: {max: 4}}
    batching: {axis: rows}
  scale:
    source: nets:scale
    inputs: {vector: {dtype: fp32, shape: [batch, 8]}}
    output_names: [vector]
    outputs: {vector: {dtype: fp32, shape: [batch, 8]}}
  head:
    source: nets:head
    backend: [onnx, torchscript]
    inputs: {vector: {dtype: fp32, shape: [batch, 8]}}
    output_names: [score]
    outputs: {score: {dtype: fp32, shape: [batch, 1]}}
  wide:
    source: nets:wide
    inputs: {vector: {dtype: fp32, shape: [batch, 16]}}
    output_names: [score]
  single:
    source: nets:single
    inputs: {vector: {dtype: fp32, shape: [1, 8]}}
    output_names: [score]
  short:
    source: nets:short
    inputs: {ids: {dtype: int64, shape: [batch, 32], range: [0, 99]}}
    output_names: [vector]
  long:
    source: nets:long
    inputs: {ids: {dtype: int64, shape: [batch, length], range: [0, 99]}}
    output_names: [vector]
    dims: {length: {min: 256, max: 512}}
  signs:
    source: nets:signs
    inputs: {ids: {dtype: int64, shape: [batch, length], range: [-9, -1]}}
    output_names: [sign]
    dims: {length: {max: 128}}
  rank:
    source: steps:rank
    backend: python
    inputs: {number: {dtype: fp32, shape: [batch]}, many: {dtype: fp32, shape: [batch, 8]}}
    outputs: {place: {dtype: int64, shape: [batch]}, score: {dtype: fp32, shape: [batch]}}
  total:
    source: steps:total
    backend: python
    inputs: {numbers: {dtype: int64, shape: [n], range: [0, 9]}}
    outputs: {sum: {dtype: int64, shape: [1]}}
    dims: {n: {max: 16}}
"""
"""What the pipelines are made of."""

MARK: Final = "  # wrong"
"""Stands behind a line for each mistake that is told there."""


class Case(NamedTuple):
    """One mistake."""

    what: str
    """In a few words."""
    pipelines: str
    """What stands under `pipelines:`."""
    at: str
    """The place below the pipeline; empty: the pipeline itself."""
    said: str
    """The message; `{repository}` is the model repository."""


def search(*steps: str, inputs: str = "[text]", outputs: str = "[score]", more: str = "") -> str:
    """Return a pipeline, a step a line."""
    return "\n".join(
        [
            "  search:",
            f"    inputs: {inputs}",
            "    steps:",
            *(f"      - {step}" for step in steps),
            f"    outputs: {outputs}",
            *([f"    {more}"] if more else []),
        ]
    )


CASES: Final = (
    Case(
        "a model that is not there",
        search("tokens", "encodr  # wrong", "head_onnx"),
        "steps.1.model",
        "neither trb.yaml nor {repository} has a model `encodr`; did you mean `encoder`?",
    ),
    Case(
        "a model with two backends",
        search("tokens", "encoder", "head  # wrong"),
        "steps.2.model",
        "`head` is served as head_onnx and head_torchscript; name one of them",
    ),
    Case(
        "a pipeline that names itself",
        search("tokens", "search  # wrong"),
        "steps.1",
        "the pipeline names itself as a step; take that step out",
    ),
    Case(
        "pipelines that are steps of each other",
        search("tokens", "scored  # wrong")
        + "\n  scored:\n    inputs: [text]\n    steps: [search]\n    outputs: [score]",
        "steps.1",
        "the pipeline is a step of itself: search -> scored -> search; take one of these steps out",
    ),
    Case(
        "the name of a model",
        "  crop:  # wrong\n    inputs: [ids]\n    steps: [crop]\n    outputs: [pieces]",
        "",
        "a model is called `crop` too; give one of the two another name",
    ),
    Case(
        "the name of one of a model's two backends",
        "  head_onnx:  # wrong\n    inputs: [ids]\n    steps: [crop]\n    outputs: [pieces]",
        "",
        "a model is called `head_onnx` too; give one of the two another name",
    ),
    Case(
        "a name that Triton refuses",
        "  se arch:  # wrong\n    inputs: [text]\n    steps: [tokens]\n    outputs: [ids]",
        "",
        "Triton would refuse the name; use letters, digits, `_`, `-` and single `.`, beginning "
        "with a letter, a digit or `_`",
    ),
    Case(
        "the name of what its merged steps would be called",
        search("encoder", "head_onnx", inputs="[ids]").replace("search:", "search:  # wrong")
        + "\n  search_fused_2:\n    inputs: [ids]\n    steps: [crop]\n    outputs: [pieces]",
        "",
        "its merged steps would be called like `search_fused_2`; rename one, or say `fuse: false`",
    ),
    Case(
        "a misspelt tensor",
        search("tokens", "{model: encoder, map: {ids: idss}}  # wrong", "head_onnx"),
        "steps.1.map.ids",
        "encoder reads `idss`, which no step before it gives and clients do not send; did you "
        "mean `map: {ids: ids}`?",
    ),
    Case(
        "tensors whose names do not meet, where one alone would fit",
        search("{model: tokens, map: {ids: pieces}}", "encoder  # wrong", "head_onnx"),
        "steps.1.map.ids",
        "encoder reads `ids`, which no step before it gives and clients do not send; did you "
        "mean `map: {ids: pieces}`?",
    ),
    Case(
        "tensors whose names do not meet, where several would fit",
        search(
            "encoder",
            "{model: scale, outputs: {vector: scaled}}",
            "{model: rank, map: {many: features, number: x}}  # wrong",
            inputs="[ids, x]",
            outputs="[place, scaled]",
        ),
        "steps.2.map.many",
        "rank reads `features`, which no step before it gives and clients do not send; there "
        "are: ids, x, vector, scaled",
    ),
    Case(
        "steps in the wrong order",
        search("tokens", "head_onnx  # wrong", "encoder"),
        "steps.1.map.vector",
        "head_onnx reads `vector`, which encoder gives only after it; put encoder before head_onnx",
    ),
    Case(
        "steps that wait for each other",
        search(
            "{model: encoder, map: {ids: place}}  # wrong", "{model: rank, map: {many: vector, number: text}}"
        ),
        "steps.0.map.ids",
        "encoder reads `place`, which rank gives, and rank needs what encoder gives: neither can be first",
    ),
    Case(
        "a step that reads what it gives",
        search("tokens", "{model: head_onnx, map: {vector: score}}  # wrong"),
        "steps.1.map.vector",
        "head_onnx reads `score`, which is its own output: a step cannot read what it gives",
    ),
    Case(
        "an output that nobody gives",
        search("tokens", "encoder", "head_onnx", outputs="[scores]  # wrong"),
        "outputs.scores",
        "no step gives `scores`; did you mean `score`?",
    ),
    Case(
        "an output that is what clients send",
        search("tokens", "encoder", "head_onnx", outputs="[score, text]  # wrong"),
        "outputs.text",
        "`text` is what clients send, so they have it already; take it out",
    ),
    Case(
        "an input that nobody reads",
        search("tokens", "encoder", "head_onnx", inputs="[text, language]  # wrong"),
        "inputs.1",
        "no step reads `language`: take it out, or name it in a step's `map`: `map: {...: language}`",
    ),
    Case(
        "an input that is named twice",
        search("tokens", "encoder", "head_onnx", inputs="[text, text]  # wrong"),
        "inputs.1",
        "`text` is named twice",
    ),
    Case(
        "an output that is named twice",
        search("tokens", "encoder", "head_onnx", outputs="[score, score]  # wrong"),
        "outputs.1",
        "`score` is named twice",
    ),
    Case(
        "a step that nobody needs",
        search("tokens", "encoder", "head_onnx  # wrong", outputs="[vector]"),
        "steps.2",
        "nothing reads what head_onnx gives (`score`): take the step out, or name one under `outputs`",
    ),
    Case(
        "an output that is given a name and not read",
        search("{model: tokens, map: {count: words}}  # wrong", "encoder", "head_onnx"),
        "steps.0.map.count",
        "nothing reads `words`, which tokens gives: leave it out",
    ),
    Case(
        "a tensor that two steps give",
        search("tokens", "encoder", "head_onnx", "head_torchscript  # wrong"),
        "steps.3",
        "head_onnx gives `score`, and head_torchscript gives one too; give this one another "
        "name: `outputs: {score: head_torchscript_score}`",
    ),
    Case(
        "a tensor that two steps of one model give",
        search("tokens", "encoder", "head_onnx", "head_onnx  # wrong"),
        "steps.3",
        "head_onnx gives `score`, and head_onnx#2 gives one too; give this one another name: "
        "`outputs: {score: head_onnx_2_score}`",
    ),
    Case(
        "a tensor that clients send and a step gives",
        search("tokens  # wrong", "encoder", "head_onnx", inputs="[text, ids]"),
        "steps.0",
        "clients send `ids`, and tokens gives one too; take it out of `inputs`, or give this one "
        "another name: `outputs: {ids: tokens_ids}`",
    ),
    Case(
        "an input and an output of one name",
        search("scale  # wrong", "head_onnx", inputs="[vector]"),
        "steps.0",
        "clients send `vector`, and scale gives one too; take it out of `inputs`, or give this "
        "one another name: `outputs: {vector: scale_vector}`",
    ),
    Case(
        "two outputs of one step with one name",
        search("{model: tokens, map: {count: ids}}  # wrong", "encoder", "head_onnx"),
        "steps.0.map.count",
        "its output `ids` is called `ids`, and tokens gives one too; give this one another name: "
        "`outputs: {count: tokens_count}`",
    ),
    Case(
        "a name in `map` that the model does not have",
        search("tokens", "{model: encoder, map: {idz: ids}}  # wrong", "head_onnx"),
        "steps.1.map.idz",
        "encoder has no tensor `idz`; did you mean `ids`?",
    ),
    Case(
        "a `map` the wrong way round",
        search("{model: tokens, map: {words: text}}  # wrong", "encoder", "head_onnx", inputs="[words]"),
        "steps.0.map.words",
        "tokens has no tensor `words`; its own name comes first: `map: {text: words}`",
    ),
    Case(
        "a name in `outputs` that the model does not have",
        search(
            "tokens",
            "{model: encoder, outputs: {vectors: v}}  # wrong",
            "{model: head_onnx, map: {vector: v}}",
        ),
        "steps.1.outputs.vectors",
        "encoder has no output `vectors`; did you mean `vector`?",
    ),
    Case(
        "an input under `outputs`",
        search("{model: tokens, outputs: {text: words}}  # wrong", "encoder", "head_onnx", inputs="[words]"),
        "steps.0.outputs.text",
        "`text` is an input of tokens: write it under `map`; its outputs are: ids, count",
    ),
    Case(
        "an output under both",
        search(
            "tokens", "{model: encoder, map: {vector: v}, outputs: {vector: vector}}  # wrong", "head_onnx"
        ),
        "steps.1.map.vector",
        "`outputs` of this step has a name for `vector` too; leave it out of one of the two",
    ),
    Case(
        "a string where a number belongs",
        search("tokens", "encoder", "{model: head_onnx, map: {vector: text}}  # wrong"),
        "steps.2.map.vector",
        "tokens takes `text` as string, and head_onnx takes fp32: clients send it once, so let "
        "one of them read another tensor",
    ),
    Case(
        "another dtype",
        search("tokens", "encoder", "{model: head_onnx, map: {vector: ids}}  # wrong"),
        "steps.2.map.vector",
        "tokens gives `ids` as int64, and head_onnx takes fp32: put a step between them that converts it",
    ),
    Case(
        "another number of axes",
        search(
            "tokens",
            "encoder",
            "head_onnx",
            "{model: rank, map: {number: score, many: vector}, outputs: {score: s}}  # wrong",
            outputs="[place, s]",
        ),
        "steps.3.map.number",
        "head_onnx gives `score` as [batch, 1], and rank takes [batch]: 2 axes are not 1; put a "
        "step between them that reshapes it",
    ),
    Case(
        "another fixed size",
        search("tokens", "encoder", "wide  # wrong"),
        "steps.2.map.vector",
        "encoder gives `vector` as [rows, 8], and wide takes [batch, 16]: axis 1 is 8 in the "
        "one, and 16 in the other; put a step between them that reshapes it",
    ),
    Case(
        "any size where one alone is taken",
        search("tokens", "short  # wrong", "head_onnx"),
        "steps.1.map.ids",
        "tokens gives `ids` as [batch, length], and short takes [batch, 32]: axis 1 is any "
        "`length` in the one, and always 32 in the other; let short take any size",
    ),
    Case(
        "sizes that are not taken",
        search(
            "{model: crop, map: {ids: text}}", "{model: encoder, map: {ids: pieces}}  # wrong", "head_onnx"
        ),
        "steps.1.map.ids",
        "crop gives `pieces` as [batch, length], and encoder takes [rows, length]: axis 1 is 1 "
        "to 512 in the one, and 1 to 128 in the other; correct the `dims` of one of them",
    ),
    Case(
        "a batch where a single row is taken",
        search("tokens", "encoder", "single  # wrong"),
        "steps.2.map.vector",
        "encoder gives `vector` as [rows, 8], and single takes [1, 8]: axis 0 is the batch in "
        "the one, and always 1 in the other; give single a batch axis, too",
    ),
    Case(
        "two readers of an input with different dtypes",
        search(
            "{model: encoder, map: {ids: text}}", "{model: rank, map: {number: text, many: vector}}  # wrong"
        ),
        "steps.1.map.number",
        "encoder takes `text` as int64, and rank takes fp32: clients send it once, so let one of "
        "them read another tensor",
    ),
    Case(
        "two readers of an input with no size in common",
        search(
            "encoder",
            "{model: long, map: {vector: other}}  # wrong",
            "head_onnx",
            inputs="[ids]",
            outputs="[score, other]",
        ),
        "steps.1.map.ids",
        "encoder takes `ids` as [rows, length], and long takes [batch, length]: axis 1 is 1 to "
        "128 in the one, and 256 to 512 in the other; clients send it once, so let one of them "
        "read another tensor",
    ),
    Case(
        "two readers of an input with no value in common",
        search(
            "encoder", "{model: signs, map: {ids: ids}}  # wrong", inputs="[ids]", outputs="[vector, sign]"
        ),
        "steps.1.map.ids",
        "encoder takes `ids` as 0 to 99, and signs takes -9 to -1: clients send it once, so let one of them "
        "read another tensor",
    ),
    Case(
        "a batch of single numbers for a step that does not batch",
        search("{model: tokens, map: {count: numbers}}", "total  # wrong", outputs="[sum]"),
        "steps.1.map.numbers",
        "tokens gives `numbers` as [batch], and total takes [n]: with Triton, tokens has it as "
        "[batch, 1]; put a step between them that reshapes it",
    ),
    Case(
        "a promise of another dtype",
        search("tokens", "encoder", "head_onnx", outputs="{score: {dtype: fp16}}  # wrong"),
        "outputs.score.dtype",
        "head_onnx gives fp32, not fp16",
    ),
    Case(
        "a promise of another shape",
        search("tokens", "encoder", "head_onnx", outputs="{score: {shape: [batch, 2]}}  # wrong"),
        "outputs.score.shape",
        "head_onnx gives [batch, 1], not [batch, 2]",
    ),
    Case(
        "no input",
        search("tokens", "encoder", "head_onnx", inputs="[]  # wrong"),
        "inputs",
        "is empty; a pipeline has at least one",
    ),
    Case(
        "no step",
        "  search:\n    inputs: [text]\n    steps: []  # wrong\n    outputs: [score]",
        "steps",
        "is empty; a pipeline has at least one",
    ),
    Case(
        "no output",
        search("tokens", "encoder", "head_onnx", outputs="[]  # wrong"),
        "outputs",
        "is empty; a pipeline has at least one",
    ),
    Case(
        "a list that is none",
        "  search:\n    inputs: text  # wrong\n    steps: [tokens]\n    outputs: [ids]",
        "inputs",
        "must be a list, not 'text'",
    ),
    Case(
        "a tensor without a name",
        search('{model: tokens, map: {ids: ""}}  # wrong', outputs="[count]"),
        "steps.0.map.ids",
        "a tensor's name must not have blanks",
    ),
    Case(
        "labels",
        search("tokens", "encoder", "head_onnx", outputs="{score: {labels: good.txt}}  # wrong"),
        "outputs.score.labels",
        "labels belong to the model that gives it; write them in its entry",
    ),
    Case(
        "samples that are none",
        search("tokens", "encoder", "head_onnx", more="samples: texts.csv  # wrong"),
        "samples",
        "'texts.csv' is neither `package.module:callable` nor an .npz file",
    ),
    Case(
        "a number out of its bounds",
        search("tokens", "encoder", "head_onnx", more="latency: {p99_ms: 0}  # wrong"),
        "latency.p99_ms",
        "must be above 0, not 0",
    ),
    Case(
        "a tolerance that is none",
        search("tokens", "encoder", "head_onnx", more="parity: {atol: -1}  # wrong"),
        "parity.atol",
        "-1 is no tolerance; give a number from 0",
    ),
    Case(
        "a word for `fuse`",
        search("tokens", "encoder", "head_onnx", more="fuse: maybe  # wrong"),
        "fuse",
        "must be a valid boolean, not 'maybe'; or must be 'auto', not 'maybe'",
    ),
    Case(
        "an unknown key",
        search("tokens", "{model: encoder, maps: {ids: ids}}  # wrong", "head_onnx"),
        "steps.1.maps",
        "unknown key; did you mean `map`?",
    ),
)
