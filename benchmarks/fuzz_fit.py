"""
Feed broken bytes to the FIT reader: each input gives a Recording or an IngestError, soon and in little memory.

Needs atheris, which is no dependency of the project: `python -m pip install atheris`, then
`python benchmarks/fuzz_fit.py CORPUS_FOLDER -max_total_time=600`; every option of libFuzzer works.
"""

import sys

import atheris

with atheris.instrument_imports(include=["ingest"]):
    from ingest.errors import IngestError
    from ingest.fit import read_fit


def read(content: bytes) -> None:
    """Let anything but a Recording and an IngestError crash the fuzzer."""
    try:
        read_fit(content)
    except IngestError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
