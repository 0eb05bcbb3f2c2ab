"""A stage that counts the words of an entry."""

import json

from wit_world import exports
from wit_world.imports import artifacts, input, log


class StageApi(exports.StageApi):
    def run(self):
        entry = input.get_entry()
        words = len(entry.body.split())
        log.write("info", f"{entry.key} has {words} words")
        artifact = artifacts.write_text("count.md", "text/markdown", f"{words} words\n")
        produced = exports.stage_api.Produced(f"{words} words", json.dumps({"words": words}), [artifact], [])
        return exports.stage_api.Outcome_Done(produced)
