# Named values of different types.
#
#     python3 examples/manager_namespace.py
import multiprocessing


def main():
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager:
        # ANCHOR: set
        settings = manager.Namespace()
        settings.rounds = 3
        settings.title = "Ten past two"
        # ANCHOR_END: set
        p = spawn.Process(target=change, args=(settings,))
        p.start()
        p.join()
        # ANCHOR: get
        rounds = settings.rounds
        title = settings.title
        print(f'{rounds} rounds, "{title}"')
        print(getattr(settings, "rond", None))
        # ANCHOR_END: get


# ANCHOR: change
def change(settings):
    settings.rounds = 4
# ANCHOR_END: change


if __name__ == "__main__":
    main()
