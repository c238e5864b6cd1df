"""Environments for the tests of the bridge, registered with Gymnasium in every Python that has this folder first in its path."""

import os
import sys

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary


class Test(gymnasium.Env):
    """Shows its step; ends after three."""

    observation_space = Box(0, 9, (2, 3), np.float64)
    action_space = Discrete(3, start=5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self.show(), {}

    def step(self, action):
        self.steps += 1
        return self.show(), float(action), self.steps == 3, False, {}

    def show(self):
        return np.full((2, 3), self.steps, np.float64)


class Loud(Test):
    """Prints wherever a library might."""

    def step(self, action):
        print("reward!" * 1000)
        os.write(1, b"GVB1" * 1000)
        sys.stdout.flush()
        return super().step(action)


class Greedy(Test):
    """Reads what is not meant for it."""

    def step(self, action):
        assert sys.stdin.read() == ""
        assert os.read(0, 100) == b""
        return super().step(action)


class Raises(Test):
    def step(self, action):
        raise ValueError("the simulator is\nin a mood")


class Broadcasts(Test):
    def show(self):
        return np.zeros((3,))


class Nothing(Test):
    def show(self):
        return np.full((2, 3), np.nan)


class Puzzling(Test):
    observation_space = Dict({"eyes": Box(0, 1, (2,)), "ears": Discrete(2)})


class Switches(Test):
    action_space = MultiBinary(4)


class Integers(Test):
    observation_space = Box(-(2**31), 2**31 - 1, (2, 3), np.int32)
    action_space = Box(np.array([-1, -np.inf]), np.array([1, np.inf]), dtype=np.float64)

    def step(self, action):
        assert action.dtype == np.float64 and action.shape == (2,)
        _, _, terminated, truncated, info = super().step(0)
        return self.show(), action[0] + 10 * action[1], terminated, truncated, info

    def show(self):
        return np.full((2, 3), self.steps - 2, np.int32)


class Scalar(Test):
    observation_space = Box(0, 9, (), np.float32)

    def show(self):
        return np.float32(self.steps)


class Jagged(Test):
    observation_space = Box(np.arange(40_000, dtype=np.float32) - 40_000, np.float32(1))


for entry in (Jagged, Test, Loud, Greedy, Raises, Broadcasts, Nothing, Puzzling, Switches, Integers, Scalar):
    gymnasium.register(f"{entry.__name__}-v0", entry_point=entry, reward_threshold=1.5, max_episode_steps=50)
