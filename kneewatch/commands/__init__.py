"""The commands: `work` does things, `look` shows them, `log` takes down what a person reports."""
