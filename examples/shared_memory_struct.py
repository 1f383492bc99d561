# A struct and an enum of one's own in shared memory.
#
#     python3 examples/shared_memory_struct.py
import ctypes
import enum
import multiprocessing


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]

    def __repr__(self):
        return f"Point {{ x: {self.x}, y: {self.y} }}"


class Light(enum.IntEnum):
    Red = 0
    Green = 1


def main():
    spawn = multiprocessing.get_context("spawn")
    points = spawn.Array(Point, 2)
    light = spawn.Value("B", Light.Red)
    p = spawn.Process(target=change, args=(points, light))
    p.start()
    p.join()
    print(points[1])
    print(Light(light.value).name)


def change(points, light):
    points[1] = Point(1.5, 2.5)
    light.value = Light.Green


if __name__ == "__main__":
    main()
