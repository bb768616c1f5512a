"""The one door for untrusted text: trb.yaml in, a checked `Project` out, or every mistake at once."""

from builder.readspec.read import json_schema, read

__all__ = ["json_schema", "read"]
