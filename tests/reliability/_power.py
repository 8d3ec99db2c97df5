"""A disk whose power may fail: which files it may hold afterwards, if every promise is read as meanly as it can be."""

import itertools
import os

SECTOR = 512
FOLDER = "folder"


class Inode:
    """What is on the disk for certain, and what was asked since."""

    def __init__(self, content=b""):
        self.durable, self.pending = content, []

    def apply(self, content, piece):
        """The content after one write of a piece, or after a truncation."""
        if piece.what == "truncate":
            return content[: piece.offset].ljust(piece.offset, b"\0")
        content = content.ljust(piece.offset, b"\0")
        return content[: piece.offset] + piece.data + content[piece.offset + len(piece.data) :]

    def whole(self):
        """The content as every program sees it while the power is on."""
        content = self.durable
        for call in self.pending:
            content = self.apply(content, call)
        return content

    def after(self, draw):
        """The content after the power failed: any size that it had, each sector of each write there or not.

        The writes since the last fsync reach the disk in any order, sector by sector, or not at all; the size may be
        ahead of the data, and then there are zeros or whatever was in those sectors before.
        """
        content, sizes = self.durable, [len(self.durable)]
        for call in self.pending:
            content = self.apply(content, call)
            sizes.append(len(content))
        stale = draw.choice([bytes(SECTOR), draw.randbytes(SECTOR)])
        longest = max(sizes)
        found = bytearray((self.durable + stale * (longest // SECTOR + 1))[:longest])
        pieces = [piece for call in self.pending if call.what == "write" for piece in sectors(call)]
        if draw.random() < 0.5:
            draw.shuffle(pieces)
        share = draw.choice([0, 0.5, 0.9, 1])
        for begin, data in pieces:
            if draw.random() < share:
                found[begin : begin + len(data)] = data
        return bytes(found[: draw.choice(sizes)])


NEW = {"make": Inode, "mkdir": lambda: FOLDER, "unlink": lambda: None}


def sectors(call):
    """A write, cut where the disk's sectors end."""
    begin, end = call.offset, call.offset + len(call.data)
    cuts = [begin, *range((begin // SECTOR + 1) * SECTOR, end, SECTOR), end]
    return [(a, call.data[a - begin : b - begin]) for a, b in itertools.pairwise(cuts)]


class Disk:
    """Names and contents; `names[path]` lists what a name has stood for since its directory was last synced."""

    def __init__(self, folder):
        self.names = {}
        for where, folders, files in os.walk(folder):
            self.names |= {os.path.join(where, name): [FOLDER] for name in folders}
            for name in files:
                with open(os.path.join(where, name), "rb") as file:
                    self.names[os.path.join(where, name)] = [Inode(file.read())]

    def now(self, path):
        """What a name stands for while the power is on."""
        return self.names.get(path, [None])[-1]

    def name(self, path, value):
        self.names.setdefault(path, [None]).append(value)

    def take(self, call):
        """One call of the log."""
        if call.what in ("write", "truncate"):
            self.now(call.path).pending.append(call)
        elif call.what == "sync" and isinstance(self.now(call.path), Inode):
            inode = self.now(call.path)
            inode.durable, inode.pending = inode.whole(), []
        elif call.what == "sync":
            for path, values in self.names.items():
                if os.path.dirname(path) == call.path:
                    del values[:-1]
        elif call.what == "rename":
            self.name(call.data, self.now(call.path))
            self.name(call.path, None)
        elif call.what in NEW:
            self.name(call.path, NEW[call.what]())

    def after(self, draw, wanted=None):
        """The files, or some, after the power failed: a name is any of what it stood for since it was synced."""
        chosen = {path: draw.choice(values) for path, values in sorted(self.names.items())}
        there = lambda path: path not in chosen or (chosen[path] is FOLDER and there(os.path.dirname(path)))
        return {
            path: inode.after(draw)
            for path, inode in chosen.items()
            if isinstance(inode, Inode) and there(os.path.dirname(path)) and (wanted is None or path in wanted)
        }

    def at_best(self):
        """The files while the power is on."""
        return {path: inode.whole() for path, [*_, inode] in self.names.items() if isinstance(inode, Inode)}
