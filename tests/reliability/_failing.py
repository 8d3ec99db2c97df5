"""Kinds of disks: after `fail()` nothing can be written in their folder, until `mend()`."""

import contextlib
import os
import resource
import subprocess

NOBODY = 65534


class Limit:
    """A limit on the size of files: `write` fails in the middle of one."""

    name = "a limit on the size of files (RLIMIT_FSIZE)"

    def __init__(self, folder):
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fail(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, self.before[1]))

    def mend(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


class Forbidden:
    """A folder that a user without privileges may not write to."""

    name = "a directory without permission"

    def __init__(self, folder):
        self.folder = folder

    def fail(self):
        self.folder.chmod(0o555)
        if os.getuid() == 0:
            os.seteuid(NOBODY)

    def mend(self):
        if os.getuid() == 0:
            os.seteuid(0)
        self.folder.chmod(0o755)


class Full:
    """A tmpfs of one megabyte that another program fills to the last page."""

    name, options = "a full tmpfs", "size=1m"

    def __init__(self, folder):
        self.folder = folder
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.options, "tmpfs", folder], check=True)

    def fail(self):
        with contextlib.suppress(OSError), open(self.folder / "other", "wb", 0) as file:
            while file.write(bytes(4096)):
                pass

    def mend(self):
        (self.folder / "other").unlink()


class NoInodes(Full):
    """A tmpfs with space, but with no room for one more file."""

    name, options = "a tmpfs out of inodes", "size=1m,nr_inodes=40"

    def fail(self):
        with contextlib.suppress(OSError):
            for i in range(99):
                (self.folder / f"other{i}").touch()

    def mend(self):
        for file in self.folder.glob("other*"):
            file.unlink()


class ReadOnly(Full):
    """A tmpfs that is mounted anew, read-only, as a disk with errors is."""

    name, options = "a disk that turns read-only", "size=1m"

    def fail(self):
        self.mount("remount,ro")

    def mend(self):
        self.mount("remount,rw")

    def mount(self, options):
        subprocess.run(["mount", "-o", options, self.folder], check=True)
