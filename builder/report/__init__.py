"""Renders results: `human`, `as_json` and `junit` each have a `render(report) -> str`."""
