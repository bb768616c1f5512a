"""Stand-ins for Triton's onnxruntime and pytorch backends, which the embedded server's wheel does not carry.

`<backend>/model.py` is what Triton loads, as a Python-based backend, in one stub process per model instance.
It answers for the same config.pbtxt and the same files as the genuine C++ backend, runs all requests of one
formed batch as one run, and refuses what the genuine one refuses, by the rules of `builder.rules`. The stub
has its own numpy (1.26), so nothing here imports more of `builder` than `rules` and `spec`.
"""
