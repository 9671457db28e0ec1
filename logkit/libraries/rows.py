"""The table: logger and message template -> event name and names for the template's values.

A row is ``template: "event  name name ..."``. A name may begin with how its value is read:
``s:`` seconds, written as milliseconds; ``us:`` microseconds, the same; ``url:``, ``path:`` and
``line:`` (of a request), of which the endpoint template is kept; ``verb:`` the method in such a
line; ``int:`` a number in text. ``-``
leaves a value out, and ``field=value`` at the end adds a field. Values of a mapping are named
``key>name``. A template of several lines is known by its first.

``status_code`` makes a record a request. Where ``logkit.instrument()`` logs each request itself,
the field is left out, so that nothing counts twice.
"""

from __future__ import annotations

Rows = dict[str, dict[str, str]]

_LIMIT = "rate_limit_kind=rate_limited status_code=429"
_FLOOD = "rate_limit_kind=rate_limited"

DISCORD: Rows = {
    "http": {
        "We are being rate limited. %s %s responded with 429. Retrying in %.2f seconds.": (
            f"rate_limited  method url:endpoint s:retry_after_ms {_LIMIT}"
        ),
        "We are being rate limited. %s %s responded with 429. Timeout of %.2f was too long, "
        "erroring instead.": f"rate_limited  method url:endpoint s:retry_after_ms {_LIMIT}",
        'We are being rate limited. Retrying in %.2f seconds. Handled under the bucket "%s"': (
            f"rate_limited  s:retry_after_ms rate_limit_bucket {_LIMIT}"
        ),
        # It follows one of the records above, which is the request.
        "Global rate limit has been hit. Retrying in %.2f seconds.": (
            f"global_rate_limit_hit  s:retry_after_ms {_FLOOD} rate_limit_scope=global"
        ),
        "A rate limit bucket (%s) has been exhausted. Pre-emptively rate limiting...": (
            "rate_limit_exhausted  rate_limit_bucket"
        ),
    },
    "webhook": {
        "Webhook ID %s is rate limited. Retrying in %.2f seconds.": (
            f"rate_limited  webhook_id s:retry_after_ms {_LIMIT}"
        ),
        "Webhook ID %s is rate limited. Retrying in %.2f seconds": (
            f"rate_limited  webhook_id s:retry_after_ms {_LIMIT}"
        ),
    },
    "gateway": {
        "Shard ID %s has connected to Gateway (Session ID: %s).": (
            "gateway_connected  shard_id session_id"
        ),
        "Shard ID %s has connected to Gateway: %s (Session ID: %s).": (
            "gateway_connected  shard_id - session_id"
        ),
        "Shard ID %s has connected to Gateway: %s (Session ID: %s, Resume URL: %s).": (
            "gateway_connected  shard_id - session_id -"
        ),
        "Shard ID %s has connected to Gateway: %s (Session ID: %s). Resume URL specified as %s": (
            "gateway_connected  shard_id - session_id -"
        ),
        "Shard ID %s has successfully RESUMED session %s.": "gateway_resumed  shard_id session_id",
        "Shard ID %s has successfully RESUMED session %s under trace %s.": (
            "gateway_resumed  shard_id session_id -"
        ),
        "Shard ID %s session has been invalidated.": "gateway_session_invalidated  shard_id",
        "Shard ID %s has sent the IDENTIFY payload.": "gateway_identified  shard_id",
        "Shard ID %s has sent the RESUME payload.": "gateway_resume_requested  shard_id",
        "WebSocket in shard ID %s is ratelimited, waiting %.2f seconds": (
            f"gateway_rate_limited  shard_id s:retry_after_ms {_FLOOD}"
        ),
        "Shard ID %s has stopped responding to the gateway. Closing and restarting.": (
            "gateway_unresponsive  shard_id"
        ),
        "Shard ID %s heartbeat blocked for more than %s seconds.": (
            "heartbeat_blocked  shard_id s:loop_lag_ms"
        ),
        "Can't keep up, shard ID %s websocket is %.1fs behind.": (
            "gateway_behind  shard_id s:heartbeat_latency_ms"
        ),
        "Websocket closed with %s, attempting a reconnect.": "gateway_closed  close_code",
        "Websocket closed with %s, cannot reconnect.": "gateway_closed  close_code",
    },
    "client": {
        "Attempting a reconnect in %.2fs": "reconnect_scheduled  s:reconnect_after_ms",
        "Ignoring exception in %s": "event_handler_failed  handler",
        "logging in using static token": "login_started",
    },
    "shard": {
        "Attempting a reconnect for shard ID %s in %.2fs": (
            "reconnect_scheduled  shard_id s:reconnect_after_ms"
        ),
        "Failed to connect for shard_id: %s. Retrying...": "gateway_connect_failed  shard_id",
    },
    "state": {
        "Shard ID %s timed out waiting for chunks for guild_id %s.": (
            "guild_chunks_timed_out  shard_id guild_id"
        ),
    },
    "ext.commands": {"Ignoring exception in command %s": "command_failed  command"},
    "app_commands": {
        "Ignoring exception in command %r": "command_failed  command",
        "Ignoring exception in command tree": "command_failed",
        "Ignoring exception in autocomplete for %r (Guild: %s, User: %s)": (
            "autocomplete_failed  command guild_id user_id"
        ),
    },
    "ui": {
        "Ignoring exception in view %r for item %r": "view_failed  view item",
        "Ignoring exception in modal %r:": "modal_failed  modal",
    },
    "ext.tasks": {
        "Unhandled exception in internal background task %r.": "background_task_failed  task",
        "Handling exception in internal background task %s. Retrying in %.2fs": (
            "background_task_failed  task s:retry_in_ms"
        ),
    },
}
"""discord.py, py-cord, disnake and nextcord, which log alike below their own names."""

HIKARI: Rows = {
    "gateway": {
        "shard is ready: %s guilds, %s (%s), session %r on v%s gateway": (
            "gateway_connected  guilds - bot_id session_id -"
        ),
        "resumed session [session:%s, seq:%s]": "gateway_resumed  session_id -",
        "backing off reconnecting for %.2fs": "reconnect_scheduled  s:reconnect_after_ms",
        "connection has not received a HEARTBEAT_ACK for approx %.1fs and is being disconnected; "
        "will attempt to reconnect": "gateway_unresponsive  s:heartbeat_latency_ms",
        "server has closed the connection, will attempt to reconnect [code:%s, reason:%s]": (
            "gateway_closed  close_code reason"
        ),
        "server has closed the connection permanently [code:%s, reason:%s]": (
            "gateway_closed  close_code reason"
        ),
        "rate-limited on opcode %d for %.1fs [session:%s, metadata:%s]": (
            f"gateway_rate_limited  opcode s:retry_after_ms - - {_FLOOD}"
        ),
    },
    "rest": {
        "rate limited on a %s sub bucket on bucket %s (reason: '%s'). You should consider "
        "lowering the number of requests you make to '%s'. Backing off and retrying request...": (
            f"rate_limited  rate_limit_scope rate_limit_bucket reason path:endpoint {_LIMIT}"
        ),
        "rate limited on bucket %s, maybe you are running more than one bot on this token? "
        "Retrying request...": f"rate_limited  rate_limit_bucket {_LIMIT}",
        "rate limited on the global bucket (reason: '%s'). You should consider lowering the "
        "number of requests you make or contacting Discord to raise this limit. Backing off and "
        "retrying request...": f"rate_limited  reason rate_limit_scope=global {_LIMIT}",
        "Received status %s on request, backing off for %.2fs and retrying. Retries remaining: "
        "%s": "api_call_failed  int:status_code s:retry_in_ms retries_left",
        "Connection error (%s), backing off for %.2fs and retrying. Retries remaining: %s": (
            "api_call_failed  error_type s:retry_in_ms retries_left"
        ),
    },
    "ratelimits": {
        "you are being globally rate limited for %ss": (
            f"global_rate_limit_hit  s:retry_after_ms {_FLOOD} rate_limit_scope=global"
        ),
    },
    "bot": {"started successfully in approx %.2f seconds": "bot_started  s:duration_ms"},
    "event_manager": {
        "an exception occurred handling an event (%s), but it has been ignored": (
            "event_handler_failed  handler"
        ),
    },
}

TELEGRAM: Rows = {
    "telegram.ext": {
        "Rate limit hit. Retrying after %f seconds": f"rate_limited  s:retry_after_ms {_LIMIT}",
        "Rate limit hit after maximum of %d retries": (
            f"rate_limit_retries_exhausted  attempt {_FLOOD}"
        ),
        "%s Failed run number %s of %s. Retrying.": "polling_failed  action attempt max_attempts",
        "%s Failed run number %s of %s. Aborting.": "polling_failed  action attempt max_attempts",
        "%s Invalid token. Aborting retry loop.": "token_refused  action",
        "Exception happened while polling for updates.": "polling_failed",
        "No error handlers are registered, logging exception.": "update_failed",
        "Application started": "application_started",
    },
    "aiogram.event": {
        "Update id=%s is %s. Duration %d ms by bot id=%d": (
            "update_handled  update_id outcome duration_ms bot_id"
        ),
        "Cause exception while process update id=%d by bot id=%d": (
            "update_failed  update_id bot_id error_type error_message"
        ),
        "Failed to make answer: %s: %s": "answer_failed  error_type error_message",
    },
    "aiogram.dispatcher": {
        "Failed to fetch updates - %s: %s": "polling_failed  error_type error_message",
        "Sleep for %f seconds and try again... (tryings = %d, bot id = %d)": (
            "polling_retry_scheduled  s:retry_in_ms attempt bot_id"
        ),
        "Connection established (tryings = %d, bot id = %d)": (
            "connection_established  attempt bot_id"
        ),
        "Run polling for bot @%s id=%d - %r": "polling_started  bot_name bot_id -",
        "Polling stopped for bot @%s id=%d - %r": "polling_stopped  bot_name bot_id -",
    },
    "aiogram.middlewares": {
        "Make request with method=%r by bot id=%d": "request_made  api_method bot_id",
    },
    "aiogram.webhook": {
        "Blocking request from an unauthorized IP: %s": "webhook_call_refused  client",
    },
    "pyrogram.session": {
        '[%s] Waiting for %s seconds before continuing (required by "%s")': (
            f"rate_limited  client s:retry_after_ms request {_FLOOD}"
        ),
        "Server sent transport error: %s (%s)": "transport_failed  error_code error_message",
        "Retrying due to %s: %s": "auth_retried  error_type error_message",
    },
    "pyrogram.connection": {
        "Unable to connect due to network issues: %s": "connect_failed  error_message",
        "Connected! %s DC%s%s - IPv%s": "connection_established  - dc - -",
    },
    "telethon.client": {
        "Sleeping%s for %ds (%s) on %s flood wait": (
            f"rate_limited  - s:retry_after_ms - request {_FLOOD}"
        ),
        "Telegram is having internal issues %s: %s": (
            "server_call_failed  error_type error_message"
        ),
    },
    "telethon.network": {
        "Attempt %d at connecting failed: %s: %s": (
            "connect_failed  attempt error_type error_message"
        ),
        "Automatic reconnection failed %d time(s)": "reconnect_failed  attempt",
        "Connection to %s complete!": "connection_established  server",
        "Server closed the connection: %s": "connection_closed  error_message",
    },
}

SERVERS: Rows = {
    "uvicorn.access": {
        '%s - "%s %s HTTP/%s" %d': (
            "request_handled  client method path:endpoint http_version status_code"
        ),
    },
    "uvicorn.error": {
        "Started server process [%d]": "server_started  -",
        "Finished server process [%d]": "server_stopped  -",
        "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)": (
            "server_listening  scheme address port"
        ),
        '%s - "WebSocket %s" [accepted]': "websocket_accepted  client path:endpoint",
        '%s - "WebSocket %s" 403': "websocket_refused  client path:endpoint",
        '%s - "WebSocket %s" %d': "websocket_refused  client path:endpoint response_status",
        "Exception in ASGI application": "request_failed",
    },
    "gunicorn.access": {
        # The template is a setting of gunicorn's; the values have the names of Apache's log. The
        # path is missing after a failure, the request's line is not.
        "*": "request_handled  h>client m>method r>line:endpoint s>int:status_code D>us:duration_ms"
        " B>response_bytes",
    },
    "aiohttp.access": {
        "*": "request_handled  remote_address>client first_request_line>verb:method"
        " first_request_line>line:endpoint response_status>status_code"
        " response_size>response_bytes request_time>s:duration_ms"
        " request_time_frac>s:duration_ms request_time_micro>us:duration_ms",
    },
    "gunicorn.error": {
        "Starting gunicorn %s": "server_started  gunicorn_version",
        "Listening at: %s (%s)": "server_listening  address -",
        "Booting worker with pid: %s": "worker_started  worker_pid",
        "Worker exiting (pid: %s)": "worker_stopped  worker_pid",
        "WORKER TIMEOUT (pid:%s)": "worker_timed_out  worker_pid",
        "Worker (pid:%s) exited with code %s.": "worker_failed  worker_pid exit_code",
        "Worker (pid:%s) was sent %s!": "worker_failed  worker_pid signal",
        "Error handling request %s": "request_failed  path:endpoint",
        "Error handling request %s %s": "request_failed  method path:endpoint",
    },
    "celery.app": {
        "Task %(name)s[%(id)s] succeeded in %(runtime)ss: %(return_value)s": (
            "task_succeeded  name>command id>task_id runtime>s:duration_ms"
        ),
        "Task %(name)s[%(id)s] %(description)s: %(exc)s": (
            "task_failed  name>command id>task_id exc>error_message"
        ),
        "Task %(name)s[%(id)s] retry: %(exc)s": (
            "task_retried  name>command id>task_id exc>error_message"
        ),
        "Task %(name)s[%(id)s] %(exc)s": (
            "task_rejected  name>command id>task_id exc>error_message"
        ),
        "Task %(name)s[%(id)s] %(description)s": "task_ignored  name>command id>task_id",
    },
    "celery.worker": {
        "Task %(name)s[%(id)s] received": "task_received  name>command id>task_id",
    },
}

_RETRIES = {
    "Retrying request in %f seconds (retry %i of %s)": (
        "call_retried  s:retry_in_ms attempt max_attempts"
    ),
    "Retrying request to %s in %f seconds": "call_retried  path:endpoint s:retry_in_ms",
}

CLIENTS: Rows = {
    "httpx": {
        'HTTP Request: %s %s "%s %d %s"': "http_request_sent  method url:endpoint - status_code -",
    },
    "httpx2": {
        'HTTP Request: %s %s "%s %d %s"': "http_request_sent  method url:endpoint - status_code -",
    },
    "openai": _RETRIES,
    "anthropic": _RETRIES,
    "urllib3.connectionpool": {
        "Retrying (%r) after connection broken by '%r': %s": (
            "call_retried  - error_message path:endpoint"
        ),
    },
    "asyncio": {"Executing %s took %.3f seconds": "slow_callback_ran  callback s:loop_lag_ms"},
}

# slack_bolt and slack_sdk put values into their texts; so a text has to be searched.
SLACK_PATTERNS: dict[str, str] = {
    r"Rate limited\. Retrying in (\d+(?:\.\d+)?) seconds\.\.\.": (
        f"rate_limited  s:retry_after_ms {_LIMIT}"
    ),
    r"Failed to run listener function \(error: (.*)\)": "listener_failed  error_message",
    r"Failed to run a middleware(?: function)? \(error: (.*)\)": "middleware_failed  error_message",
    r"Failed to (?:run|process) a message(?: listener)?: (.*)": "listener_failed  error_message",
    r"(\S+) didn't call ack\(\)": "ack_missing  listener",
    r"Unhandled request \(": "request_unhandled",
    r"A new session (?:\((?:session id: )?(\S+)\) )?has been established": (
        "session_established  session_id"
    ),
    r"The session \((?:session id: )?(\S+)\) seems to be (?:already closed|stale)": (
        "session_lost  session_id"
    ),
    r"Failed to retrieve WSS URL: (.*)": "connect_failed  error_message",
    r"A retry handler found: (\w+) for (\w+) (\S+)": "call_retried  handler method url:endpoint",
}
