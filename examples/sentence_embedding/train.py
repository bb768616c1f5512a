"""Learn a vocabulary in a moment: `python train.py` writes tokenizer.json."""

from pathlib import Path

from sentences import SENTENCES
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from vocabulary import LONGEST, SIZE

PADDING, START, END = SPECIAL = ("<pad>", "<s>", "</s>")


def train() -> Tokenizer:
    """Return a tokeniser of bytes and what they often form, which pads to the longest text of a call."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (START, END)],
    )
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id(PADDING), pad_token=PADDING)
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


if __name__ == "__main__":
    tokenizer = train()
    tokenizer.save(str(Path(__file__).parent / "tokenizer.json"))
    print(f"{tokenizer.get_vocab_size()} tokens")  # noqa: T201 - a script's result
