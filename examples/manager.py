# Two processes work on one list, which a third one keeps.
#
#     python3 examples/manager.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        records = manager.list([
            ("Sam", 10),
            ("Adam", 9),
            ("Kevin", 9),
        ])
        args = (("Jeff", 8), records)
        p1 = spawn.Process(target=insert_record, args=args)
        p1.start()
        p1.join()
        args = (records,)
        p2 = spawn.Process(target=print_records, args=args)
        p2.start()
        p2.join()


def insert_record(record, records):
    records.append(record)
    print("New record added!")


def print_records(records):
    for name, score in records:
        print(f"Name: {name}\nScore: {score}")


if __name__ == "__main__":
    main()
