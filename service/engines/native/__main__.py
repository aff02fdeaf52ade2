"""The command line: `python -m service.engines.native` compiles the engine."""

import argparse
import sys

from service.engines.native.compilation import CannotCompile, compile_all, find_compiler


def main() -> int:
    """Compile; return the exit status."""
    parser = argparse.ArgumentParser(description="Compile the native engine, with CC or else cc.")
    parser.add_argument(
        "--optional", action="store_true", help="succeed where there is no compiler"
    )
    asked = parser.parse_args()
    try:
        paths = compile_all(compiler=find_compiler())
    except CannotCompile as error:
        sys.stderr.write(f"the native engine is not compiled: {error}\n")
        return 0 if asked.optional else 1
    names = "\n  ".join(path.name for path in paths)
    sys.stderr.write(f"the native engine is compiled:\n  {names}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
