"""An answering process without a network: repeats what it was told, so that what the server makes of it can be tested.

The last message says how it behaves: "for ever" never ends by itself, "die" ends the process, "too long" is refused,
"what was asked, in json" is answered with the request itself. Otherwise it calls the first tool it is given.
It writes every request that it was told to stop to stderr.
"""

from __future__ import annotations

import json
import os
import selectors
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    endless: list[str] = []
    sources = selectors.DefaultSelector()
    sources.register(sys.stdin, selectors.EVENT_READ)
    waiting = b""
    while True:
        if sources.select(timeout=0.01 if endless else None):
            block = os.read(sys.stdin.fileno(), 1 << 16)
            if not block:
                return
            *lines, waiting = (waiting + block).split(b"\n")
            for line in lines:
                heed(json.loads(line), endless)
        for number in endless:
            say(id=number, text="and on ")


def heed(request: dict[str, Any], endless: list[str]) -> None:
    number = request["id"]
    if request.get("stop") is True:
        if number in endless:
            endless.remove(number)
        print(f"stopped {number}", file=sys.stderr, flush=True)
        return
    words = request["messages"][-1]["content"]
    if words == "for ever":
        endless.append(number)
    elif words == "die":
        say(id=number, text="I")
        os._exit(3)
    elif words == "too long":
        say(id=number, error="The prompt has 9000 tokens.", code="context_length_exceeded", param="messages")
    elif words == "what was asked, in json":
        kept = {name: value for name, value in request.items() if name not in ("id", "model", "messages")}
        roles = [message["role"] for message in request["messages"]]
        answer(number, request, json.dumps(kept | {"roles": roles}).split(" "))
    elif request["tools"]:
        call = {"name": request["tools"][0]["function"]["name"], "arguments": '{"a": 1}'}
        say(id=number, finish_reason="stop", prompt_tokens=7, completion_tokens=3, tool_calls=[call])
    else:
        answer(number, request, f"{Path(request['model']).name} says {words} {request['seed']}".split(" "))


def answer(number: str, request: dict[str, Any], words: list[str]) -> None:
    said = words[: request["max_tokens"]]
    for place, word in enumerate(said):
        text = word if place == 0 else f" {word}"
        logprobs = [{"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}]
        say(id=number, text=text, **({"logprobs": logprobs} if request["logprobs"] else {}))
    reason = "stop" if said == words else "length"
    say(id=number, finish_reason=reason, prompt_tokens=7, completion_tokens=len(said))


def say(**piece: Any) -> None:
    sys.stdout.write(json.dumps(piece) + "\n")
    sys.stdout.flush()


main()
