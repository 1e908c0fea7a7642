"""The policy network trained in the span of the training embeddings.

T training tasks span at most T of the D embedding dimensions, and with SGD, momentum and weight decay nothing else is
learned, so training on D = 9600 inputs is exact with about T. With x = Q z, Q (D, R) orthonormal, and the first layer
W = (W Q) Q' + W_perp: on a training task W x = (W Q) z; the gradient of W is (gradient of W Q) Q', so it never touches
W_perp; weight decay shrinks W_perp by a factor that does not depend on the data, so one scalar stands for it.

Comes in: unit embeddings, mini-batches, gradients at the logits. Goes out: logits, and at the end the full network.
Ignores rewards. Weights lie in one flat buffer and velocities in another: a step costs the traffic of both.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import saxpy, sgemm

from t2s_offline.policy import MLP

Float32 = npt.NDArray[np.float32]


def span(unit_TD: Float32) -> tuple[Float32, Float32]:
    """Q (D, R) orthonormal and z (T, R) with x = Q z for every row x; R is the rank, at most T."""
    left_TR, singular_R, right_RD = np.linalg.svd(unit_TD.astype(np.float64), full_matrices=False)
    keep = singular_R > singular_R[0] * 1e-6  # float32 embeddings: smaller directions are rounding
    basis_DR = right_RD[keep].T
    return basis_DR.astype(np.float32), (left_TR[:, keep] * singular_R[keep]).astype(np.float32)


class SpanNetwork:
    """Two hidden layers of `hidden` units and `outputs` logits over R reduced inputs, with SGD, momentum, weight decay.

    Initial weights are PyTorch's defaults for the full network: uniform within 1 / sqrt(inputs) of zero.
    """

    def __init__(
        self,
        unit_TD: Float32,
        hidden: int,
        outputs: int,
        *,
        momentum: float,
        decay: float,
        rng: np.random.Generator,
    ) -> None:
        self.momentum, self.decay = momentum, decay
        self.basis_DR, self.z_TR = span(unit_TD)
        inputs, rank = self.basis_DR.shape

        def uniform(*shape: int, fan_in: int) -> Float32:
            scale = np.float32(1 / np.sqrt(fan_in))
            return (rng.random(shape, dtype=np.float32) * 2 - 1) * scale

        self.initial1_HD = uniform(hidden, inputs, fan_in=inputs)
        shapes = {
            "weight1": (hidden, rank),
            "bias1": (hidden,),
            "bias2": (hidden,),
            "weight3": (outputs, hidden),
            "bias3": (outputs,),
            "weight2": (hidden, hidden),  # kept as (in, out): the forward product then runs along rows
        }
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        self.flat = np.zeros(sum(sizes), dtype=np.float32)
        self.velocity = np.zeros_like(self.flat)
        self.small = sum(sizes[:-1])  # all but weight2, whose gradient is added by BLAS in place
        ends = np.cumsum(sizes)
        self.p, self.v = (
            {
                name: buffer[end - size : end].reshape(shape)
                for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True)
            }
            for buffer in (self.flat, self.velocity)
        )
        self.p["weight1"][:] = self.initial1_HD @ self.basis_DR
        self.p["bias1"][:] = uniform(hidden, fan_in=inputs)
        self.p["weight2"][:] = uniform(hidden, hidden, fan_in=hidden).T
        self.p["bias2"][:] = uniform(hidden, fan_in=hidden)
        self.p["weight3"][:] = uniform(outputs, hidden, fan_in=hidden)
        self.p["bias3"][:] = uniform(outputs, fan_in=hidden)
        self.initial1_HR = self.p["weight1"].copy()
        self.outside, self.outside_velocity = 1.0, 0.0  # W_perp over its initial value, and its velocity

    def forward(self, task_B: npt.NDArray[np.int64]) -> Float32:
        """Logits of a mini-batch of training tasks given by row, shape (B, outputs)."""
        p = self.p
        self.z_BR = self.z_TR[task_B]
        self.hidden1_BH = np.maximum(self.z_BR @ p["weight1"].T + p["bias1"], 0)
        self.hidden2_BH = np.maximum(self.hidden1_BH @ p["weight2"] + p["bias2"], 0)
        return self.hidden2_BH @ p["weight3"].T + p["bias3"]

    def gradient(self, logit_BL: Float32) -> tuple[dict[str, Float32], Float32]:
        """Gradients of all but weight2 for the gradient at the logits (B, outputs), and that at hidden layer 2."""
        d2_BH = logit_BL @ self.p["weight3"]
        d2_BH *= self.hidden2_BH > 0
        d1_BH = sgemm(1.0, self.p["weight2"].T, d2_BH.T, trans_a=1).T
        d1_BH *= self.hidden1_BH > 0
        small = {
            "weight1": d1_BH.T @ self.z_BR,
            "bias1": d1_BH.sum(axis=0),
            "bias2": d2_BH.sum(axis=0),
            "weight3": logit_BL.T @ self.hidden2_BH,
            "bias3": logit_BL.sum(axis=0),
        }
        return small, d2_BH

    def step(self, logit_BL: Float32 | None, rate: float) -> None:
        """One SGD step as in PyTorch: v = momentum v + gradient + decay w; w = w - rate v.

        `logit_BL` is the gradient of the loss at the logits of the last forward pass; None when it is zero.
        """
        if logit_BL is None:
            self.velocity *= np.float32(self.momentum)
        else:
            small, d2_BH = self.gradient(logit_BL)
            self.velocity[: self.small] *= np.float32(self.momentum)
            for name, gradient in small.items():
                self.v[name] += gradient
            velocity2 = self.v["weight2"].T  # Fortran order (out, in): BLAS updates the buffer in place
            sgemm(1.0, d2_BH.T, self.hidden1_BH.T, beta=self.momentum, c=velocity2, trans_b=1, overwrite_c=1)
        saxpy(self.flat, self.velocity, a=self.decay)
        saxpy(self.velocity, self.flat, a=-rate)
        self.outside_velocity = self.momentum * self.outside_velocity + self.decay * self.outside
        self.outside -= rate * self.outside_velocity

    def full(self) -> MLP:
        """The network on D inputs."""
        p, outside = self.p, np.float32(self.outside)
        inside_HR = p["weight1"] - outside * self.initial1_HR
        return MLP(
            weight1=(outside * self.initial1_HD + inside_HR @ self.basis_DR.T).astype(np.float32),
            bias1=p["bias1"].copy(),
            weight2=p["weight2"].T.copy(),
            bias2=p["bias2"].copy(),
            weight3=p["weight3"].copy(),
            bias3=p["bias3"].copy(),
        )
