# A dictionary of lists: are the lists copies?
#
#     python3 examples/manager_nested.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        copies = manager.dict()
        copies[1] = [10]
        append_to_copy(copies)
        print(copies[1])

        lists = manager.dict()
        lists[1] = manager.list([10])
        append_to_list(lists)
        print(lists[1])


def append_to_copy(scores):
    scores[1].append(9)


def append_to_list(scores):
    scores[1].append(9)


if __name__ == "__main__":
    main()
