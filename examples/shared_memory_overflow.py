# A number that does not fit into its type.
#
#     python3 examples/shared_memory_overflow.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    number = spawn.Value("b", 300)
    print(f"300 became {number.value}")
    number.value = 127
    number.value += 1
    print(f"127 + 1 became {number.value}")


if __name__ == "__main__":
    main()
