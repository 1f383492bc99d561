# Both ends send and both receive: the child answers each
# number with its square.
#
#     python3 examples/pipe_duplex.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    child = spawn.Process(target=answer, args=(theirs,))
    child.start()
    theirs.close()  # the child has it now
    for number in [2, 3, 12]:
        ours.send(number)
        print(ours.recv())
    ours.send(None)  # ends the child's loop
    print(f"{ours.recv()} answered.")
    child.join()


def answer(connection):
    count = 0
    for n in iter(connection.recv, None):
        connection.send(f"{n} * {n} = {n * n}")
        count += 1
    connection.send(count)


if __name__ == "__main__":
    main()
