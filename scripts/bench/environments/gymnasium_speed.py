"""Steps per second of Gymnasium (and MinAtar's original) under random actions, for the benchmark of the environments.

Arguments: seconds per measurement, then pairs of our id and what to step: "gym:ID", "vector:ID:COUNT" or "minatar:GAME".
Prints one JSON object {id: {what: steps per second}}; what cannot be imported is missing.
"""

import json
import sys
import time


def timed(step, per_call, seconds):
    """Steps per second of processor time: the best of three stretches after one for warming up."""
    best = 0.0
    for stretch in range(4):
        calls = 0
        used = 0.0
        start = time.process_time()
        while used < seconds / 4:
            for _ in range(20):
                step()
            calls += 20
            used = time.process_time() - start
        if stretch > 0:
            best = max(best, calls * per_call / used)
    return best


def stepper(what):
    """A function that takes one step, and how many environment steps that is."""
    kind, name, *rest = what.split(":")
    if kind == "minatar":
        from minatar import Environment

        game = Environment(name)
        actions = __import__("random").Random(0)

        def step():
            _, over = game.act(actions.randrange(6))
            game.state()
            if over:
                game.reset()

        return step, 1
    import gymnasium

    if kind == "vector":
        count = int(rest[0])
        env = gymnasium.make_vec(name, num_envs=count, vectorization_mode="vector_entry_point")
        env.reset(seed=0)
        chosen = [env.action_space.sample() for _ in range(64)]
        turn = iter(__import__("itertools").cycle(chosen))
        return lambda: env.step(next(turn)), count
    env = gymnasium.make(name)
    env.reset(seed=0)
    turn = iter(__import__("itertools").cycle([env.action_space.sample() for _ in range(64)]))

    def step():
        _, _, terminated, truncated, _ = env.step(next(turn))
        if terminated or truncated:
            env.reset()

    return step, 1


def main():
    seconds = float(sys.argv[1])
    results = {}
    for ours, what in zip(sys.argv[2::2], sys.argv[3::2]):
        try:
            step, per_call = stepper(what)
        except Exception as error:  # missing packages of all kinds; said on stderr
            print(f"{what}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        results.setdefault(ours, {})[what] = round(timed(step, per_call, seconds))
    print(json.dumps(results))


main()
