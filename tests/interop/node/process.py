"""The node as a process, whichever back end it has."""
import signal
import subprocess
import threading
import time


class Process:
    """A command that runs; its log is read as it comes."""

    def __init__(self, command):
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True, errors='replace')
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line.rstrip())

    @property
    def log(self):
        return '\n'.join(self.lines)

    def wait_for(self, text, timeout=15, after=0):
        """Waits until a line after the first so many has a text."""
        end = time.monotonic() + timeout
        while not any(text in line for line in self.lines[after:]):
            assert time.monotonic() < end, f'{text!r} was not logged:\n{self.log}'
            assert self.child.poll() is None or text in self.log, f'the node ended:\n{self.log}'
            time.sleep(0.01)
        return self

    def stop(self, how=signal.SIGINT, within=5):
        """The exit status."""
        if self.child.poll() is None:
            self.child.send_signal(how)
        try:
            self.child.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        self.reader.join(timeout=2)
        return self.child.returncode


def ros_arguments(parameters=None, remap=()):
    """Parameters and names as ROS writes them on a command line."""
    words = []
    for name, value in (parameters or {}).items():
        words += ['-p', f'{name}:={value}']
    for rule in remap:
        words += ['-r', rule]
    return words
