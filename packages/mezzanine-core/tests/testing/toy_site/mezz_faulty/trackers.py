"""A tracker that keeps a diary."""

import sys

from mezzanine_core.trackers import Tracker


class Diary(Tracker):
    out = None

    def __init__(self, config):
        self.fault = config.fault

    def start(self, recipe, out, config):
        if self.fault == "one run":
            if Diary.out is not None:
                raise RuntimeError("there is a run already")
            Diary.out = out
        self.folder = out / "diary"
        self.folder.mkdir()
        self.write(recipe)

    def log(self, values, step=None):
        if self.fault == "no step" and step is None:
            raise TypeError("which step?")
        self.write(f"{step} {dict(values)}")
        if self.fault == "prints":
            sys.stdout.write("logged\n")

    def artifact(self, path):
        self.write(path.name)
        if self.fault == "writes":
            path.write_text("seen")

    def finish(self, results):
        Diary.out = None
        if self.fault == "needs results":
            self.write(results["recipe"])

    def write(self, line):
        with (self.folder / "events").open("a") as file:
            file.write(f"{line}\n")
