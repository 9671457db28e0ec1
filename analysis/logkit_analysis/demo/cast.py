"""Who plays in the sample incident: a made-up bot's endpoints, commands, users."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

GATEWAY = "bot-gateway"
WORKER = "bot-worker"
QUEUE = "commands"
QUEUE_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route that the bot calls.

    Attributes:
        method: HTTP method.
        route: Template with ids replaced.
        median_ms: Median of the log-normal latency while all is well.
        sigma: Spread of the latency, as the standard deviation of its logarithm.
        bucket: Name of the rate-limit budget, or ``None`` when the server names none.
        limit: Requests in one window of the budget.
        window_ms: Length of that window.
        platform: Value of the field ``platform``, or ``None`` outside Discord.
    """

    method: str
    route: str
    median_ms: float
    sigma: float
    bucket: str | None = None
    limit: int = 0
    window_ms: int = 0
    platform: str | None = "discord"

    def fields(self) -> dict[str, Any]:
        """Return the event fields that are the same for every call."""
        fields = {"endpoint": self.route, "method": self.method}
        return fields | {"platform": self.platform} if self.platform else fields


_CHANNEL = "/channels/{channel_id}/messages"
CALLBACK = Endpoint("POST", "/interactions/{interaction_id}/{interaction_token}/callback", 60, 0.3)
SEND = Endpoint("POST", _CHANNEL, 95, 0.35, "b27f0c1ad0f4e6b3", 5, 5_000)
EDIT = Endpoint("PATCH", _CHANNEL + "/{message_id}", 85, 0.3, "5f1e90aa7c3d2284", 5, 5_000)
REACT = Endpoint(
    "PUT",
    _CHANNEL + "/{message_id}/reactions/{emoji}/@me",
    70,
    0.3,
    "c09d51fe3e8a7b16",
    4,
    1_000,
)
HISTORY = Endpoint("GET", _CHANNEL, 120, 0.4, "84be2d6f9015c7aa", 50, 10_000)
MEMBER = Endpoint(
    "GET", "/guilds/{guild_id}/members/{user_id}", 45, 0.3, "e6a3184b7f20d95c", 10, 10_000
)
FORECAST = Endpoint("GET", "/v1/forecast", 180, 0.5, platform=None)
CHAT = Endpoint("POST", "/v1/chat/completions", 350, 0.35, platform=None)

COMMANDS: dict[str, tuple[Endpoint, ...]] = {
    "ping": (SEND,),
    "weather": (FORECAST, SEND),
    "remind": (SEND, REACT),
    "rank": (MEMBER, SEND),
    "poll": (SEND, EDIT),
    "ask": (CHAT, SEND),
    "summarize": (HISTORY, CHAT, SEND),
}
"""Each command and the calls that it makes, in order."""

COMMAND_WEIGHTS = (16, 24, 12, 18, 10, 13, 7)


@dataclass(frozen=True, slots=True)
class User:
    """One user, who always writes in the same channel."""

    user_id: str
    guild_id: str
    channel_id: str

    def fields(self) -> dict[str, Any]:
        """Return the event fields that say who and where."""
        return {
            "user_id": self.user_id,
            "guild_id": self.guild_id,
            "channel_id": self.channel_id,
        }


def draw_users(count: int, rng: Random) -> list[User]:
    """Return *count* users in a dozen guilds, with ids as long as Discord's."""

    def snowflake() -> str:
        return str(rng.randrange(10**17, 10**18))

    rooms = [(guild, snowflake()) for guild in [snowflake() for _ in range(12)] for _ in range(3)]
    return [User(snowflake(), *rng.choice(rooms)) for _ in range(count)]


def error_fields(error_type: str, message: str, function: str) -> dict[str, str]:
    """Return the error fields of an exception that was raised in *function*."""
    return {
        "error_type": error_type,
        "error_message": message,
        "error_fingerprint": sha256(f"{error_type}:{function}".encode()).hexdigest()[:16],
    }
