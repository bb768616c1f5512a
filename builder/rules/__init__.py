"""What a Triton server refuses, said in the server's own words.

Pure functions over plain values: a config as the JSON that Triton itself hands out, and a model's tensors as
its runtime sees them. `trb lint`, the build and the stand-in backends all use them. The stand-ins run them
inside Triton's Python stub, so this package imports nothing but the standard library and `spec`.
"""
