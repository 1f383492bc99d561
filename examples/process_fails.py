# A child that can fail: it gives up in good order, or it
# breaks.
#
#     python3 examples/process_fails.py
import multiprocessing
import sys

sys.tracebacklimit = 0  # short tracebacks


def main():
    spawn = multiprocessing.get_context("spawn")
    for function in [gives_up, breaks]:
        for text in ["12", "twelve"]:
            p = spawn.Process(target=function, args=(text,))
            p.start()
            result = p.join()
            print(f"exit code {p.exitcode}: {result}")


def gives_up(text):
    if not text.isdigit():
        sys.exit(f"no number: {text}")
    return int(text)


def breaks(text):
    return int(text)


if __name__ == "__main__":
    main()
