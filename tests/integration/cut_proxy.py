"""A Unix socket in front of a server that cuts a rollout's connection in the middle of a place's transaction.

It reads the messages of both sides (PostgreSQL documentation, "Message Formats"), to know the transactions that move places
and which answers are theirs; everything else passes untouched."""
import contextlib
import select
import socket
import struct
import threading

import harness

MOVE = "UPDATE tenantry.rollout_places SET state = 'done', attempts = 1"  # ROLLOUT_PLACE_MOVED
READ_BYTES = 65536
ENDS = (b"S", b"Q", b"H", b"X", b"p")  # messages that what was sent before them does not wait behind
FLUSH = b"H" + struct.pack("!I", 4)
COMMITTED = b"C" + struct.pack("!I", 11) + b"COMMIT\0"


class Cut:
    """At which of the transactions that move places to cut, and how much of it the server gets to see.

    "before": nothing; "open": what is before its COMMIT; "applied": all but the Sync behind its COMMIT; "answered": all of it,
    and of as many behind it as `ahead` says. The answers to that never come back; those to what was before it do."""

    def __init__(self, at, how, ahead=0):
        self.at, self.how, self.ahead = at, how, ahead
        self.moves = 0
        self.is_over = False


def socket_in(folder):
    return folder + "/.s.PGSQL.5432"


@contextlib.contextmanager
def proxy(target, cut):
    """In front of the server whose socket is in the folder target; gives the folder of its own."""
    with harness.temporary_folder() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(socket_in(folder))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, target, cut), daemon=True).start()
        yield folder
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener, target, cut):
    with contextlib.suppress(OSError):
        while True:
            client = listener.accept()[0]
            threading.Thread(target=_serve, args=(client, target, cut), daemon=True).start()


def _serve(client, target, cut):
    with contextlib.suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
        server.connect(socket_in(target))
        Relay(client, server, cut).run()


class Messages:
    """Whole messages of one direction; the first one of a client has no type."""

    def __init__(self, head):
        self.rest, self.head = b"", head

    def feed(self, data):
        self.rest += data
        while len(self.rest) >= self.head + 4:
            size = self.head + struct.unpack_from("!I", self.rest, self.head)[0]
            if len(self.rest) < size:
                return
            message, self.rest, self.head = self.rest[:size], self.rest[size:], 1
            yield message


class Relay:
    """One connection. Each Sync, each simple query and the login is answered by one ReadyForQuery."""

    def __init__(self, client, server, cut):
        self.client, self.server, self.cut = client, server, cut
        self.asked, self.answers = Messages(0), Messages(1)
        self.statements = {}  # by name
        self.bound = ""
        self.batch = []  # messages that wait for the end of theirs
        self.texts = {}  # what they execute: {position: statement}
        self.ready_wanted, self.ready = 1, 0
        self.told = None  # so many are passed on, when this connection is to be cut
        self.ahead = 0

    def run(self):
        while True:
            for side in select.select([self.client, self.server], [], [])[0]:
                data = side.recv(READ_BYTES)
                if not data or not (self._ask(data) if side is self.client else self._answer(data)):
                    return

    def _answer(self, data):
        for message in self.answers.feed(data):
            if self.told is None or self.ready < self.told:
                self.client.sendall(message)
            elif self.cut.how == "applied" and message == COMMITTED:
                return False
            self.ready += message[:1] == b"Z"
        return not self._is_over()

    def _ask(self, data):
        for message in self.asked.feed(data):
            self._read(message)
            self.batch.append(message)
            if message[:1] in ENDS or message[:1] == b"\0":  # the login
                is_move = any(MOVE in text for text in self.texts.values())
                if not (self._move() if is_move else self._send(self.batch)):
                    return False
                self.batch, self.texts = [], {}
        return True

    def _read(self, message):
        kind, body = message[:1], message[5:]
        if kind == b"P":
            name, text = body.split(b"\0", 2)[:2]
            self.statements[name] = text.decode()
        elif kind == b"B":
            self.bound = self.statements.get(body.split(b"\0", 2)[1], "")
        elif kind == b"E":
            self.texts[len(self.batch)] = self.bound

    def _send(self, messages):
        self.ready_wanted += sum(message[:1] in (b"S", b"Q") for message in messages)
        self.server.sendall(b"".join(messages))
        return True

    def _move(self):
        """Whether the connection goes on."""
        if self.told is None:
            self.cut.moves += 1
            if self.cut.is_over or self.cut.moves != self.cut.at:
                return self._send(self.batch)
            self.cut.is_over = True
            self.told, self.ahead = self.ready_wanted, self.cut.ahead
            self._send(self._seen())
        elif self.ahead > 0:
            self.ahead -= 1
            self._send(self.batch)
        return not self._is_over()

    def _seen(self):
        """What the server sees of the transaction where it is cut."""
        commit = next(at for at, text in self.texts.items() if text == "COMMIT")
        return {"before": [], "open": self.batch[:commit], "applied": self.batch[:-1] + [FLUSH],
                "answered": self.batch}[self.cut.how]

    def _is_over(self):
        """Whether all that is to come of this connection has come."""
        return self.told is not None and self.cut.how != "applied" and self.ahead == 0 and self.ready >= self.ready_wanted
