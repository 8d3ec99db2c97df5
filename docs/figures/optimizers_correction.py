"""What Adam's bias correction corrects."""

import numpy as np

ALT = (
    "Left: running means of a noisy gradient whose mean is 1. Uncorrected, the mean starts near 0.1 and needs 30 steps "
    "to reach 1; corrected, it scatters around 1 from the first step. Right: how many times too long Adam's step is "
    "without correction: 3.2 at the first step, 6.6 at the twelfth, and still 1.3 at step 1,000, on logarithmic axes."
)
B1, B2 = 0.9, 0.999


def draw(plt, C):
    """A running mean to the left, the excess of a step to the right."""
    g, m, mean = 1 + 0.5 * np.random.default_rng(0).normal(size=60), [], 0.0
    for value in g:
        mean = B1 * mean + (1 - B1) * value
        m.append(mean)
    m = np.array(m)
    t = np.arange(1, len(m) + 1)
    fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
    left.plot(t, g, "o", color=C[5], ms=2.5, label="gradients")
    left.plot(t, m, color=C[4], lw=1.8, label="$m_t$")
    left.plot(t, m / (1 - B1**t), color=C[0], lw=1.8, label=r"$m_t/(1-\beta_1^t)$")
    left.set_ylim(-0.1, 2.4)
    left.legend(fontsize=8, ncols=3, loc="upper center", handlelength=1.2, columnspacing=1)
    t = np.arange(1, 3001)
    right.loglog(t, (1 - B1**t) / np.sqrt(1 - B2**t), color=C[4], lw=1.8)
    right.axhline(1, color=C[0], lw=1.8)
    right.set_yticks([1, 2, 3, 6], ["1", "2", "3", "6"])
    right.minorticks_off()
    right.set_title("uncorrected step / corrected step", fontsize=9, loc="left")
    for ax in (left, right):
        ax.set_xlabel("step $t$")
        ax.grid(alpha=0.5, lw=0.5)
    return fig
