"""Steps Gymnasium environments for Grapevine.

`bridge.py --describe` reads one JSON request from standard input and prints the environment's spaces and facts as JSON.
`bridge.py` answers frames on its standard input with frames on its standard output until the input ends; what the environments print
goes to standard error. A frame is a header of four little-endian 32-bit words (MAGIC, kind, sequence, length of the payload) and the payload:

    OPEN   JSON: id, arguments, count, maxEpisodeSteps (-1: none), autoreset            -> READY, JSON: the description
    RESET  flags u8[n] padded to 8, seeds u64[n] (all ones: the stream goes on), JSON   -> ROWS
    STEP   actions i32[n] or f32[n, a]                                                  -> ROWS
    ROWS   rewards f64[n], terminated u8[n], truncated u8[n] padded to 8, observations [n, d], final observations [k, d] of the k rows
           whose episode ended, in the order of the rows (none without autoreset); u8 or f32 as the description says
    FAILED JSON: why a request could not be answered; the child ends after it
"""

import json
import math
import os
import signal
import struct
import sys

MAGIC = 0x31425647
HEADER = struct.Struct("<IIII")
OPEN, RESET, STEP = 1, 2, 3
READY, ROWS, FAILED = 16, 17, 18
STREAM_GOES_ON = 2**64 - 1
# A one-hot observation of more numbers is refused: nothing learns from it.
ONE_HOT_MAX = 4096
# Characters of a space in a message.
SPACE_SHOWN = 200
# Bounds that differ from element to element are told for this many elements at most: 2^15 are 3 MB of text.
BOUNDS_MAX = 32_768
# Packages that register their environments only when told to, by the namespace of their ids.
PACKAGES = {"ALE": ("ale_py", "ale-py")}


class Refusal(Exception):
    """A reason that the other side turns into a sentence."""

    def __init__(self, code, **data):
        super().__init__(code)
        self.json = {"code": code, **data}


def refuse_exception(what, error):
    text = str(error).strip().split("\n")[0]
    return Refusal("failed", what=what, message=f"{type(error).__name__}: {text}" if text else type(error).__name__)


def padded(length):
    return (length + 7) // 8 * 8


# Environments and their spaces


def load_gymnasium(env_id):
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        raise Refusal("package", package=error.name or "gymnasium", install="gymnasium")
    if int(gymnasium.__version__.split(".")[0]) < 1:
        raise Refusal("version", version=gymnasium.__version__)
    namespace = env_id.split("/")[0] if "/" in env_id else None
    if namespace in PACKAGES:
        module, package = PACKAGES[namespace]
        try:
            gymnasium.register_envs(__import__(module))
        except ModuleNotFoundError as error:
            raise Refusal("package", package=package if error.name == module else error.name, install=package)
    if env_id not in gymnasium.registry:
        raise Refusal("unknown", ids=sorted(gymnasium.registry))
    return gymnasium


def make(gymnasium, request):
    try:
        return gymnasium.make(
            request["id"],
            max_episode_steps=request["maxEpisodeSteps"],
            disable_env_checker=True,
            **request["arguments"],
        )
    except gymnasium.error.DependencyNotInstalled as error:
        raise Refusal("dependency", message=str(error).strip().split("\n")[0])
    except Exception as error:
        raise refuse_exception("make", error)


def bound(values):
    """One number where all are equal, else a list; infinities as text, which JSON has no numbers for."""
    numbers = [float(value) for value in values.reshape(-1)]
    words = [number if math.isfinite(number) else str(number).replace("inf", "Infinity") for number in numbers]
    return words[0] if len(set(words)) == 1 else words


def box(space):
    """Shape and bounds of a Box, or None where they cannot be told."""
    low, high = bound(space.low), bound(space.high)
    if 0 in space.shape or any(isinstance(one, list) and len(one) > BOUNDS_MAX for one in (low, high)):
        return None
    return {"shape": [int(length) for length in space.shape] or [1], "low": low, "high": high}


def describe_observations(space, spaces):
    if isinstance(space, spaces.Discrete) and space.n <= ONE_HOT_MAX:
        return {"shape": [int(space.n)], "type": "u8", "low": 0, "high": 1}
    if isinstance(space, spaces.Box) and space.dtype.kind in "buif" and (described := box(space)):
        small = space.dtype.kind == "b" or space.dtype == "uint8"
        return {"type": "u8" if small else "f32", **described}
    raise Refusal("space", which="observation", space=str(space)[:SPACE_SHOWN])


def describe_actions(space, spaces):
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n)}
    if isinstance(space, spaces.Box) and space.dtype.kind == "f" and (described := box(space)):
        return {"kind": "box", **described}
    raise Refusal("space", which="action", space=str(space)[:SPACE_SHOWN])


def describe(gymnasium, env_id, env):
    spec = gymnasium.spec(env_id)
    return {
        "observation": describe_observations(env.observation_space, gymnasium.spaces),
        "action": describe_actions(env.action_space, gymnasium.spaces),
        "threshold": None if spec.reward_threshold is None else float(spec.reward_threshold),
        "maxEpisodeSteps": None if spec.max_episode_steps is None else int(spec.max_episode_steps),
    }


class Rows:
    """Environments side by side, and the frame that tells of them: written in place, sent whole."""

    def __init__(self, envs, description, autoreset):
        import numpy

        self.numpy = numpy
        self.envs = envs
        self.autoreset = autoreset
        self.count = len(envs)
        space = envs[0].observation_space
        actions = envs[0].action_space
        self.shape = tuple(description["observation"]["shape"])
        self.native_shape = space.shape
        self.one_hot = None
        if not hasattr(space, "low"):
            self.one_hot = numpy.eye(space.n, dtype=numpy.uint8)
            self.first_observation = int(space.start)
        self.discrete = description["action"]["kind"] == "discrete"
        self.first_action = int(actions.start) if self.discrete else 0
        self.action_type = None if self.discrete else actions.dtype
        self.action_shape = None if self.discrete else actions.shape

        count = self.count
        dtype = numpy.dtype("u1" if description["observation"]["type"] == "u8" else "<f4")
        self.row_bytes = int(numpy.prod(self.shape)) * dtype.itemsize
        self.fixed_bytes = 8 * count + padded(2 * count) + count * self.row_bytes
        self.frame = bytearray(HEADER.size + self.fixed_bytes + count * self.row_bytes)

        def view(kind, length, at):
            return numpy.frombuffer(self.frame, kind, length, HEADER.size + at)

        self.rewards = view("<f8", count, 0)
        self.terminated = view("u1", count, 8 * count)
        self.truncated = view("u1", count, 9 * count)
        at = 8 * count + padded(2 * count)
        both = view(dtype, 2 * count * int(numpy.prod(self.shape)), at).reshape((2 * count, *self.shape))
        self.observations = both[:count]
        self.finals = both[count:]

    def reset(self, payload):
        count = self.count
        start = padded(count)
        seeds = struct.unpack_from(f"<{count}Q", payload, start)
        text = payload[start + 8 * count :]
        options = json.loads(text) if text else None
        self.rewards[:] = 0
        self.terminated[:] = 0
        self.truncated[:] = 0
        for row in range(count):
            if payload[row] == 0:
                continue
            seed = None if seeds[row] == STREAM_GOES_ON else seeds[row]
            try:
                observation, _ = self.envs[row].reset(seed=seed, options=options)
            except Exception as error:
                raise refuse_exception("reset", error)
            self.observations[row] = self.encoded(observation)
        return 0

    def step(self, payload):
        numpy = self.numpy
        if self.discrete:
            actions = (numpy.frombuffer(payload, "<i4", self.count) + self.first_action).tolist()
        else:
            actions = numpy.frombuffer(payload, "<f4").astype(self.action_type).reshape((self.count, *self.action_shape))
        ended = 0
        try:
            for row, env in enumerate(self.envs):
                observation, reward, terminated, truncated, _ = env.step(actions[row])
                self.rewards[row] = reward
                self.terminated[row] = terminated
                self.truncated[row] = truncated
                if (terminated or truncated) and self.autoreset:
                    self.finals[ended] = self.encoded(observation)
                    ended += 1
                    observation, _ = env.reset()
                self.observations[row] = self.encoded(observation)
        except Refusal:
            raise
        except Exception as error:
            raise refuse_exception("step", error)
        return ended

    def encoded(self, observation):
        """The observation as an array of the declared shape: assignment alone would broadcast a smaller one."""
        if self.one_hot is not None:
            return self.one_hot[int(observation) - self.first_observation]
        if getattr(observation, "shape", None) != self.native_shape:
            observation = self.numpy.asarray(observation)
            if observation.shape != self.native_shape:
                raise Refusal("shape", expected=list(self.native_shape), got=list(observation.shape))
        return observation.reshape(self.shape) if self.native_shape != self.shape else observation

    def close(self):
        for env in self.envs:
            env.close()


# Frames


class Pipes:
    """The frames' own copies of standard input and output; the originals become /dev/null and standard error."""

    def __init__(self):
        self.reader = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
        self.out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        if os.name == "nt":
            import msvcrt

            msvcrt.setmode(self.reader.fileno(), os.O_BINARY)
            msvcrt.setmode(self.out, os.O_BINARY)

    def read(self):
        """(kind, sequence, payload), or None at the end."""
        header = self.reader.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        magic, kind, sequence, length = HEADER.unpack(header)
        if magic != MAGIC:
            raise Refusal("failed", what="read", message="a frame began with the wrong bytes")
        payload = self.reader.read(length)
        return None if len(payload) < length else (kind, sequence, payload)

    def write(self, data):
        view = memoryview(data)
        while len(view) > 0:
            view = view[os.write(self.out, view) :]

    def write_json(self, kind, sequence, value):
        text = json.dumps(value).encode()
        self.write(HEADER.pack(MAGIC, kind, sequence, len(text)) + text)


def open_rows(payload):
    request = json.loads(payload)
    gymnasium = load_gymnasium(request["id"])
    envs = [make(gymnasium, request) for _ in range(request["count"])]
    description = describe(gymnasium, request["id"], envs[0])
    return Rows(envs, description, request["autoreset"]), description


def serve(pipes):
    rows = None
    while True:
        message = pipes.read()
        if message is None:
            break
        kind, sequence, payload = message
        try:
            if kind == OPEN:
                rows, description = open_rows(payload)
                pipes.write_json(READY, sequence, description)
                continue
            ended = rows.step(payload) if kind == STEP else rows.reset(payload)
        except Refusal as refusal:
            pipes.write_json(FAILED, sequence, refusal.json)
            return
        length = rows.fixed_bytes + ended * rows.row_bytes
        HEADER.pack_into(rows.frame, 0, MAGIC, ROWS, sequence, length)
        pipes.write(memoryview(rows.frame)[: HEADER.size + length])
    if rows is not None:
        rows.close()


def describe_once(pipes):
    request = json.loads(pipes.reader.read())
    try:
        gymnasium = load_gymnasium(request["id"])
        env = make(gymnasium, {**request, "maxEpisodeSteps": -1})
        answer = {"description": describe(gymnasium, request["id"], env)}
    except Refusal as refusal:
        answer = {"refusal": refusal.json}
    pipes.write(json.dumps(answer).encode())


def die_with_parent():
    """On Linux the kernel ends this process with the thread that started it, even in the middle of a step."""
    if sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main():
    # Ctrl-C in a terminal reaches the whole group; this process ends when its input does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The folder of this script is no place to import from.
    if sys.path and os.path.realpath(sys.path[0]) == os.path.dirname(os.path.realpath(__file__)):
        del sys.path[0]
    pipes = Pipes()
    if "--describe" in sys.argv:
        describe_once(pipes)
    else:
        die_with_parent()
        serve(pipes)
    sys.stderr.flush()
    # Without the interpreter's own teardown, in which native libraries hang or crash.
    os._exit(0)


if __name__ == "__main__":
    main()
