"""SGD for the policy network with the first layer restricted to the span of the training embeddings.

T training tasks span at most T of the D = 9600 embedding dimensions, so the first layer can be trained on R <= T inputs
with the same result. With x = Q z, Q (D, R) orthonormal, split W = (W Q) Q' + W_perp. Then W x = (W Q) z, and the
gradient at W is (gradient at W Q) Q', which is 0 on W_perp. Weight decay multiplies W_perp by a factor that does not
depend on the data, so one scalar holds it (`outside`).

Weight decay needs no pass over the weights either. Write the velocity as v = p + c w, where c solves
momentum c + decay = c / (1 + rate c). Then PyTorch's step v' = momentum v + g + decay w, w' = w - rate v' is equal to

    p' = (1 + rate c) (momentum p + g)
    w' = (w - rate p') / (1 + rate c)

and the division is kept as one scalar for all weights (`scale`). Both identities follow by substitution. Weights lie in
one flat buffer and velocities in another, because the time of a step is the time to move both through memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import saxpy, sgemm

from t2s_offline.errors import BadInput
from t2s_offline.learners.policy import MLP

Float32 = npt.NDArray[np.float32]

#: Every FLUSH steps velocities below NOTHING become 0. With momentum 0.9 one of 1e-30 is above 1e-33 until the next
#: time, and subnormal numbers (below 1e-38), which slow arithmetic down, do not occur.
FLUSH, NOTHING = 64, 1e-30


def span(unit_TD: Float32) -> tuple[Float32, Float32]:
    """Q (D, R) with orthonormal columns and z (T, R) such that x = Q z for every row x; R is the rank, at most T."""
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
        self.slope = np.zeros(self.small, dtype=np.float32)
        self.p, self.v = (
            {
                name: buffer[end - size : end].reshape(shape)
                for (name, shape), size, end in zip(shapes.items(), sizes, ends, strict=True)
            }
            for buffer in (self.flat, self.velocity)
        )
        self.g = {
            name: self.slope[end - size : end].reshape(shape)
            for (name, shape), size, end in zip(list(shapes.items())[:-1], sizes, ends, strict=False)
        }
        self.p["weight1"][:] = self.initial1_HD @ self.basis_DR
        self.p["bias1"][:] = uniform(hidden, fan_in=inputs)
        self.p["weight2"][:] = uniform(hidden, hidden, fan_in=hidden).T
        self.p["bias2"][:] = uniform(hidden, fan_in=hidden)
        self.p["weight3"][:] = uniform(outputs, hidden, fan_in=hidden)
        self.p["bias3"][:] = uniform(outputs, fan_in=hidden)
        self.initial1_HR = self.p["weight1"].copy()
        self.outside, self.outside_velocity = 1.0, 0.0  # W_perp over its initial value, and its velocity
        self.scale = 1.0  # weights are `scale` times what lies in the buffer
        self.steps = 0
        self.rate, self.mixed = 0.0, 0.0  # velocities are what lies in the buffer plus `mixed` (c) times the weights

    def forward(self, task_B: npt.NDArray[np.int64]) -> Float32:
        """Logits of a mini-batch of training tasks given by row, shape (B, outputs)."""
        p, scale = self.p, np.float32(self.scale)
        self.z_BR = self.z_TR[task_B]
        hidden_BH = self.z_BR @ p["weight1"].T
        hidden_BH += p["bias1"]
        hidden_BH *= scale
        self.hidden1_BH = np.maximum(hidden_BH, 0, out=hidden_BH)
        hidden_BH = self.hidden1_BH @ p["weight2"]
        hidden_BH += p["bias2"]
        hidden_BH *= scale
        self.hidden2_BH = np.maximum(hidden_BH, 0, out=hidden_BH)
        logit_BL: Float32 = self.hidden2_BH @ p["weight3"].T
        logit_BL += p["bias3"]
        logit_BL *= scale
        return logit_BL

    def gradient(self, logit_BL: Float32) -> Float32:
        """Gradients of all but weight2 into `self.slope`, for the gradient at the logits (B, outputs); returns the
        gradient at hidden layer 2, (B, hidden)."""
        g = self.g
        d2_BH = np.float32(self.scale) * (logit_BL @ self.p["weight3"])
        d2_BH *= self.hidden2_BH > 0
        # with this order of operands BLAS reads both matrices along rows: half the time of the transposed product
        d1_BH = sgemm(self.scale, np.asfortranarray(d2_BH), self.p["weight2"].T)
        d1_BH *= self.hidden1_BH > 0
        np.matmul(d1_BH.T, self.z_BR, out=g["weight1"])
        np.matmul(logit_BL.T, self.hidden2_BH, out=g["weight3"])
        for name, part in (("bias1", d1_BH), ("bias2", d2_BH), ("bias3", logit_BL)):
            np.add.reduce(part, axis=0, out=g[name])
        return np.asarray(d2_BH, dtype=np.float32)

    def step(self, logit_BL: Float32 | None, rate: float) -> None:
        """One SGD step as in PyTorch: v = momentum v + gradient + decay w; w = w - rate v.

        `logit_BL` is the gradient of the loss at the logits of the last forward pass; None when it is zero.
        """
        if rate != self.rate:
            self._change_rate(rate)
        self.steps += 1
        if self.steps % FLUSH == 0:  # see FLUSH: velocities of units without gradient decay
            self.velocity[np.abs(self.velocity) < NOTHING] = 0
        grow = 1.0 + rate * self.mixed
        if logit_BL is None:
            self.velocity *= np.float32(grow * self.momentum)
        else:
            d2_BH = self.gradient(logit_BL)
            small = self.velocity[: self.small]
            small *= np.float32(grow * self.momentum)
            saxpy(self.slope, small, a=grow)
            velocity2 = self.v["weight2"].T  # Fortran order (out, in): BLAS updates the buffer in place
            beta = grow * self.momentum
            sgemm(grow, d2_BH.T, self.hidden1_BH.T, beta=beta, c=velocity2, trans_b=1, overwrite_c=1)
        saxpy(self.velocity, self.flat, a=-rate / self.scale)
        self.scale /= grow
        self.outside_velocity = self.momentum * self.outside_velocity + self.decay * self.outside
        self.outside -= rate * self.outside_velocity

    def _change_rate(self, rate: float) -> None:
        """Solve for c at the new rate and rewrite p so that the velocities v stay; BadInput where c does not exist."""
        free = 1.0 - self.momentum - rate * self.decay
        inside = free * free - 4.0 * rate * self.momentum * self.decay
        if inside < 0 or free <= 0:
            raise BadInput(
                f"weight decay {self.decay:g} is too large for learning rate {rate:g} and momentum {self.momentum:g}; "
                f"lower one of them"
            )
        mixed = 2.0 * self.decay / (free + np.sqrt(inside))
        saxpy(self.flat, self.velocity, a=(self.mixed - mixed) * self.scale)
        self.rate, self.mixed = rate, float(mixed)

    def full(self) -> MLP:
        """The trained network on D inputs."""
        p = {name: np.float32(self.scale) * value for name, value in self.p.items()}
        outside = np.float32(self.outside)
        inside_HR = p["weight1"] - outside * self.initial1_HR
        return MLP(
            weight1=(outside * self.initial1_HD + inside_HR @ self.basis_DR.T).astype(np.float32),
            bias1=p["bias1"],
            weight2=p["weight2"].T.copy(),
            bias2=p["bias2"],
            weight3=p["weight3"],
            bias3=p["bias3"],
        )
