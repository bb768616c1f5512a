"""config.pbtxt as text: Triton's own schema, its grammar, and the place of everything in a file."""
