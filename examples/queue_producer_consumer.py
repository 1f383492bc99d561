# A producer is faster than its consumer. How many values
# wait between them?
#
#     python3 examples/queue_producer_consumer.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    shared = (spawn.Queue(10), spawn.Event())
    producer = spawn.Process(target=produce, args=shared)
    producer.start()
    consumer = spawn.Process(target=consume, args=shared)
    consumer.start()
    producer.join()
    shared[0].put(None)
    consumer.join()


# ANCHOR: produce
def produce(queue, is_full):
    for number in range(100):
        if number == 10:
            print(f"full: {str(queue.full()).lower()}")
            is_full.set()
        queue.put(number)  # waits while it is full
# ANCHOR_END: produce


def consume(queue, is_full):
    is_full.wait()
    most, total = queue.qsize(), 0
    for number in iter(queue.get, None):
        total += number
        most = max(most, queue.qsize())
    print(f"at most {most} waited; their sum is {total}")


if __name__ == "__main__":
    main()
