"""The history of the method, with years to scale on the left."""

import numpy as np

ALT = (
    "A timeline from 1943 to 2017 in three colors: learning machines from McCulloch and Pitts to the Hopfield "
    "network, derivatives carried backward from Kelley 1960 to Rumelhart, Hinton and Williams 1986, and deep "
    "networks that train, from LeCun 1989 to the transformer in 2017."
)

MACHINES, BACKWARD, DEEP = 1, 0, 2

EVENTS = [
    (1943, MACHINES, "McCulloch, Pitts: threshold neurons"),
    (1958, MACHINES, "Rosenblatt: the perceptron learns"),
    (1960, MACHINES, "Widrow, Hoff: gradient rule, one unit"),
    (1960, BACKWARD, "Kelley: gradients of flight paths"),
    (1962, BACKWARD, "Dreyfus: by the chain rule alone"),
    (1967, MACHINES, "Amari: stochastic gradient descent"),
    (1969, MACHINES, "Minsky, Papert: limits of one layer"),
    (1970, BACKWARD, "Linnainmaa: reverse mode"),
    (1974, BACKWARD, "Werbos: ordered derivatives"),
    (1980, MACHINES, "Fukushima: neocognitron"),
    (1982, MACHINES, "Hopfield: energy of a network"),
    (1982, BACKWARD, "Werbos; Parker: for networks"),
    (1986, BACKWARD, "Rumelhart, Hinton, Williams"),
    (1989, DEEP, "LeCun et al.: digits by convolution"),
    (1991, DEEP, "Hochreiter: why gradients vanish"),
    (1997, DEEP, "Hochreiter, Schmidhuber: LSTM"),
    (1998, DEEP, "LeCun et al.: LeNet-5, MNIST"),
    (2006, DEEP, "Hinton et al.: layer by layer"),
    (2010, DEEP, "Glorot, Bengio; Cireșan et al. on GPUs"),
    (2011, DEEP, "Glorot et al.: rectifiers"),
    (2012, DEEP, "Krizhevsky et al.: ImageNet"),
    (2015, DEEP, "He et al.; Ioffe, Szegedy; Adam"),
    (2017, DEEP, "Vaswani et al.: transformer"),
]

GROUPS = ((MACHINES, "machines that learn"), (BACKWARD, "derivatives backward"), (DEEP, "deep networks train"))


def draw(plt, C):
    """An axis in years, and a row of text for each event with a line to its year."""
    figure, ax = plt.subplots(figsize=(4.7, 7.4))
    rows = np.linspace(1941, 2019, len(EVENTS))
    ax.plot([0, 0], [1940, 2020], color=C.ink, linewidth=1)
    for decade in range(1940, 2021, 10):
        ax.plot([-0.05, 0], [decade, decade], color=C.ink, linewidth=1)
        ax.text(-0.1, decade, f"{decade}", ha="right", va="center", fontsize=9.5)
    for row, (year, group, text) in zip(rows, EVENTS, strict=True):
        color = C[group]
        ax.plot([0.03, 0.3, 0.42], [year, row, row], color=color, linewidth=0.9)
        ax.plot([0], [year], "o", color=color, markersize=4.5)
        ax.text(0.47, row, f"{year}", va="center", fontsize=9.5, color=color, fontweight="bold")
        ax.text(0.79, row, text, va="center", fontsize=9.5)
    for group, name in GROUPS:
        ax.plot([], [], "o", color=C[group], markersize=5, label=name)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=1, fontsize=9.5, handletextpad=0.2)
    ax.set(xlim=(-0.42, 3.3), ylim=(2021, 1930.5))
    ax.set_axis_off()
    return figure
