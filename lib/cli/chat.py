"""`chat --model M --message TEXT`: one question to a model, its answer as it comes."""

from __future__ import annotations

import argparse

from lib.cli.address import add_address, chosen, connected
from lib.cli.printing import print_json, say, tell_error
from lib.playground.talk import ask
from lib.workspace.database import Workspace


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("chat", help="ask a model")
    parser.add_argument("--model", metavar="M", required=True)
    parser.add_argument("--message", metavar="TEXT", required=True)
    parser.add_argument("--system", metavar="TEXT", help="a system message before it")
    parser.add_argument("--temperature", type=float, default=None, metavar="T")
    parser.add_argument("--max-tokens", type=int, default=None, metavar="N")
    parser.add_argument("--json", action="store_true")
    add_address(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Ask and print. Exit code 1 when the answer broke off."""
    messages = [{"role": "system", "content": given.system}] if given.system is not None else []
    messages.append({"role": "user", "content": given.message})
    ws = Workspace.open()
    try:
        connection = connected(ws, chosen(ws, given))
        try:
            answering = ask(
                connection, given.model, messages, temperature=given.temperature, max_tokens=given.max_tokens
            )
            for piece in answering:
                if not given.json:
                    say(piece, end="")
            answer = answering.answer
        finally:
            connection.close()
    finally:
        ws.close()
    if given.json:
        print_json(
            {
                "model": answer.model,
                "text": answer.text,
                "complete": answer.complete,
                "finish_reason": answer.finish_reason,
                "tokens_in": answer.tokens_in,
                "tokens_out": answer.tokens_out,
                "first_token_seconds": answer.first_token_seconds,
                "seconds": answer.seconds,
            }
        )
    else:
        say("")
    if answer.problem is not None:
        tell_error(answer.problem)
    return 0 if answer.complete else 1
