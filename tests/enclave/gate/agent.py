#!/usr/bin/python3.11
"""Stands where the notebook server stands in the tiny test image: runs what the test posts, echoes websockets.

It is the attacker inside the workspace: `POST /user/<login>/run` executes Python in a new process as uid 10001.
"""

import base64
import hashlib
import http.server
import os
import subprocess
import sys
import urllib.parse

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Agent(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        code = self.rfile.read(int(self.headers["Content-Length"]))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
        self.answer(done.stdout + done.stderr + f"\n[exit {done.returncode}]".encode())

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.websocket()
        elif self.path.endswith("/api/status"):
            self.answer(b"{}", "application/json")
        else:
            self.answer(self.path.encode() + b"\n" + bytes(self.headers))

    def answer(self, body, kind="text/plain"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def websocket(self):
        key = self.headers["Sec-WebSocket-Key"].encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + GUID).digest()).decode())
        self.end_headers()
        self.wfile.flush()
        while data := self.connection.recv(65536):
            # One short masked text frame in, the same text out, unmasked.
            size, mask, text = data[1] & 127, data[2:6], data[6:]
            if data[0] & 15 == 8:
                break
            plain = bytes(b ^ mask[i % 4] for i, b in enumerate(text[:size]))
            self.connection.sendall(bytes([0x81, len(plain)]) + plain)
        self.close_connection = True

    def log_message(self, *_):
        pass


if os.environ.get("ANSIM_TEST_DIE"):
    sys.exit("the agent was told to die")
address = urllib.parse.urlsplit(os.environ.get("JUPYTERHUB_SERVICE_URL", "http://127.0.0.1:8888"))
http.server.ThreadingHTTPServer((address.hostname, 8888), Agent).serve_forever()
