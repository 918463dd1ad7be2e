"""Does the sandbox speak Telegram? A client that we did not write (aiogram) and its schema are the judges.

Run: CHATBRIDGE_BIN=target/debug/chatbridge pytest tests/sandbox/conformance.py
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import time
import urllib.request
import warnings

import jsonschema
import pytest
from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.filters import Command, CommandStart
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
    User,
    WebhookInfo,
)
from aiogram.utils.formatting import Bold, Italic, Text
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web

WAIT = 10
tokens = itertools.count(1000)


# ---- what Telegram's objects may be ---------------------------------------------------------------------------------


def strict(model):
    """The model's schema with nothing unknown, nothing null, and every constant required."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = model.model_json_schema(by_alias=True, mode="serialization")
    tighten(schema)
    return jsonschema.Draft202012Validator(schema)


def tighten(node):
    if isinstance(node, list):
        for one in node:
            tighten(one)
    if not isinstance(node, dict):
        return
    if "anyOf" in node:
        node["anyOf"] = [one for one in node["anyOf"] if one.get("type") != "null"]
    if isinstance(node.get("properties"), dict):
        node["additionalProperties"] = False
        constants = [name for name, one in node["properties"].items() if "const" in one]
        node["required"] = sorted({*node.get("required", []), *constants})
    for one in node.values():
        tighten(one)


UPDATE = strict(Update)
RESULTS = {
    "getMe": strict(User),
    "getWebhookInfo": strict(WebhookInfo),
    "sendMessage": strict(Message),
    "editMessageText": strict(Message),
    "editMessageReplyMarkup": strict(Message),
}


def check_result(method, answer):
    """Judges an answer of the Bot API as it came over the wire."""
    if not answer["ok"]:
        assert set(answer) <= {"ok", "error_code", "description", "parameters"}, answer
        assert isinstance(answer["error_code"], int) and isinstance(answer["description"], str)
    elif method == "getUpdates":
        for update in answer["result"]:
            UPDATE.validate(update)
    elif method in RESULTS:
        RESULTS[method].validate(answer["result"])


class JudgingSession(AiohttpSession):
    """aiogram's client, with every answer judged before aiogram reads it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.judged = []

    def check_response(self, bot, method, status_code, content):
        name = method.__api_method__
        check_result(name, json.loads(content))
        self.judged.append(name)
        return super().check_response(bot, method, status_code, content)


# ---- the sandbox and a customer -------------------------------------------------------------------------------------


def free_port():
    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="session")
def sandbox():
    port = free_port()
    binary = os.environ["CHATBRIDGE_BIN"]
    process = subprocess.Popen([binary, "sandbox", "--listen", f"127.0.0.1:{port}"])
    deadline = time.monotonic() + WAIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert process.poll() is None and time.monotonic() < deadline, "the sandbox did not start"
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(WAIT) == 0


class Customer:
    """A person who writes to one bot by the control API."""

    def __init__(self, base, bot, **names):
        self.base, self.bot = base, bot
        self.id = self.post("customers", first_name="Олена", **names)["id"]
        self.seq = 0

    def post(self, path, **body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/sandbox/{path}", data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=WAIT) as answer:
            return json.load(answer)

    def act(self, path, **body):
        return self.post(path, bot=self.bot, user=self.id, **body)

    def view(self, after=0, wait=0):
        url = f"{self.base}/sandbox/chat?bot={self.bot}&user={self.id}&after={after}&wait={wait}"
        with urllib.request.urlopen(url, timeout=2 * WAIT) as answer:
            return json.load(answer)

    async def sees(self, condition):
        """Waits until the chat fulfils a condition; returns the whole chat."""
        seq, deadline = 0, time.monotonic() + WAIT
        while True:
            await asyncio.to_thread(self.view, seq, 1)
            chat = self.view()
            if condition(chat):
                return chat
            assert time.monotonic() < deadline, chat
            seq = chat["seq"]

    async def reads(self, text):
        """Waits for a message of the bot with this text."""

        def found(chat):
            return [one for one in chat["messages"] if one.get("from") == "bot" and one["text"] == text]

        return found(await self.sees(found))[-1]


# ---- the bot that is tried ------------------------------------------------------------------------------------------


def echo_router(seen):
    """Greets with a keyboard, echoes with an inline button, counts presses by editing, notices edits and blocks."""
    router = Router()

    @router.message(CommandStart(deep_link=True))
    async def start_link(message: Message, command):
        await message.answer(f"Link {command.args}")

    @router.message(CommandStart())
    async def start(message: Message):
        rows = [[KeyboardButton(text="Hours"), KeyboardButton(text="My number", request_contact=True)]]
        keyboard = ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, input_field_placeholder="Ask")
        await message.bot.send_chat_action(message.chat.id, "typing")
        await message.answer(**Text("Hello, ", Bold(message.from_user.full_name)).as_kwargs(), reply_markup=keyboard)

    @router.message(Command("bye"))
    async def bye(message: Message):
        await message.reply("Bye", reply_markup=ReplyKeyboardRemove())

    @router.message(F.contact)
    async def contact(message: Message):
        own = message.contact.user_id == message.from_user.id
        await message.answer(f"{message.contact.phone_number} own={own}")

    @router.message()
    async def echo(message: Message):
        await message.answer(f"<i>{message.html_text}</i>", parse_mode="HTML", reply_markup=counter(0))

    @router.callback_query(F.data.startswith("count:"))
    async def count(query: CallbackQuery):
        number = int(query.data.removeprefix("count:")) + 1
        await query.answer(f"Pressed {number}")
        if number < 2:
            await query.message.edit_reply_markup(reply_markup=counter(number))
        else:
            await query.message.edit_text("Enough")

    @router.edited_message()
    async def edited(message: Message):
        await message.answer(f"Edited to {message.text}")

    @router.my_chat_member()
    async def member(event: ChatMemberUpdated):
        seen.append((event.old_chat_member.status, event.new_chat_member.status))

    return router


def counter(number):
    button = InlineKeyboardButton(text=f"Count {number}", callback_data=f"count:{number}")
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


def make_bot(sandbox, **defaults):
    number = next(tokens)
    token, username = f"{number}:AA-secret_{number}", f"echo_{number}_bot"
    body = json.dumps({"token": token, "username": username, "first_name": "Echo"}).encode()
    with urllib.request.urlopen(f"{sandbox}/sandbox/bots", body, timeout=WAIT):
        session = JudgingSession(api=TelegramAPIServer.from_base(sandbox))
        return Bot(token, session=session, default=DefaultBotProperties(**defaults)), username


@contextlib.asynccontextmanager
async def polling(bot, dispatcher, judged):
    task = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False))
    try:
        yield
    finally:
        await dispatcher.stop_polling()
        await task
        judged += [name for name in bot.session.judged if name == "getUpdates"]


@contextlib.asynccontextmanager
async def webhook(bot, dispatcher, judged):
    @web.middleware
    async def judge(request, handler):
        UPDATE.validate(await request.json())
        judged.append("webhook")
        return await handler(request)

    app = web.Application(middlewares=[judge])
    SimpleRequestHandler(dispatcher, bot, secret_token="S3cret-_").register(app, path="/hook")
    setup_application(app, dispatcher, bot=bot)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{port}/hook"
    kinds = dispatcher.resolve_used_update_types()
    await bot.set_webhook(url, secret_token="S3cret-_", allowed_updates=kinds, drop_pending_updates=False)
    assert (await bot.get_webhook_info()).url == url
    try:
        yield
    finally:
        await bot.delete_webhook()
        await runner.cleanup()


# ---- the trial ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", [polling, webhook])
def test_an_aiogram_bot_holds_a_whole_conversation(sandbox, transport):
    asyncio.run(conversation(sandbox, transport))


async def conversation(sandbox, transport):
    bot, username = make_bot(sandbox)
    seen, judged = [], []
    dispatcher = Dispatcher()
    dispatcher.include_router(echo_router(seen))
    customer = Customer(sandbox, username, last_name="Коваль", username="olena", phone="+380501112233")
    async with bot.session, transport(bot, dispatcher, judged):
        customer.act("say", text="/start")
        hello = await customer.reads("Hello, Олена Коваль")
        assert hello["html"] == "Hello, <b>Олена Коваль</b>"
        chat = await customer.sees(lambda chat: chat["keyboard"])
        assert [button["text"] for button in chat["keyboard"][0]] == ["Hours", "My number"]
        customer.act("press", text="Hours")
        echo = await customer.reads("Hours")
        await press_twice(customer, echo["message_id"])
        customer.act("press", text="My number")
        await customer.reads("+380501112233 own=True")
        said = customer.act("say", text="a < b & 😀")
        await customer.reads("a < b & 😀")
        customer.act("edit", message_id=said["message_id"], text="better")
        await customer.reads("Edited to better")
        customer.act("say", text="/start abc_1-2")
        await customer.reads("Link abc_1-2")
        customer.act("say", text="/bye")
        bye = await customer.reads("Bye")
        assert bye["reply_to"]["text"] == "/bye"
        await customer.sees(lambda chat: chat["keyboard"] is None)
        await block_and_unblock(customer, bot)
    assert seen == [("member", "kicked"), ("kicked", "member")]
    assert len(judged) >= 1, "updates were judged"
    used = {"sendMessage", "editMessageText", "editMessageReplyMarkup", "answerCallbackQuery", "sendChatAction"}
    assert used <= set(bot.session.judged)


async def press_twice(customer, message_id):
    tapped = customer.act("tap", message_id=message_id, data="count:0")

    def counted(chat):
        labels = [one["inline_keyboard"][0][0]["text"] for one in chat["messages"] if one.get("inline_keyboard")]
        return "Count 1" in labels

    chat = await customer.sees(counted)
    assert chat["toast"]["callback_query_id"] == tapped["callback_query_id"]
    assert chat["toast"]["text"] == "Pressed 1"
    customer.act("tap", message_id=message_id, text="Count 1")
    assert (await customer.reads("Enough"))["inline_keyboard"] is None


async def block_and_unblock(customer, bot):
    customer.act("block", blocked=True)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(customer.id, "Are you there?")
    customer.act("block", blocked=False)
    customer.act("say", text="back")
    await customer.reads("back")


def test_the_judge_refuses_what_telegram_never_sends():
    user = {"id": 1, "is_bot": False, "first_name": "a"}
    message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "from": user, "text": "a"}
    UPDATE.validate({"update_id": 1, "message": message})
    for wrong in ({"txt": "a"}, {"text": None}, {"date": "today"}, {"from": {"id": 1}}, {"chat": None}):
        with pytest.raises(jsonschema.ValidationError):
            UPDATE.validate({"update_id": 1, "message": {**message, **wrong}})
    with pytest.raises(jsonschema.ValidationError):
        UPDATE.validate({"update_id": 1, "massage": message})


def test_errors_reach_aiogram_as_the_exceptions_it_knows(sandbox):
    async def trial():
        bot, username = make_bot(sandbox)
        customer = Customer(sandbox, username)
        async with bot.session:
            with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
                await bot.send_message(customer.id, "hi")
            with pytest.raises(TelegramBadRequest, match="chat not found"):
                await bot.send_message(1, "hi")
            customer.act("say", text="hi")
            expected = re.escape("can't parse entities: Can't find end tag corresponding to start tag \"b\"")
            with pytest.raises(TelegramBadRequest, match=expected):
                await bot.send_message(customer.id, "<b>hi", parse_mode="HTML")
            customer.post("faults", kind="rate_limited", bot=username, method="sendMessage", retry_after=7)
            with pytest.raises(TelegramRetryAfter) as caught:
                await bot.send_message(customer.id, "hi")
            assert caught.value.retry_after == 7

    asyncio.run(trial())


def test_formatting_goes_through_unchanged(sandbox):
    async def trial():
        bot, username = make_bot(sandbox, parse_mode="HTML", protect_content=True)
        customer = Customer(sandbox, username)
        customer.act("say", text="hi")
        html = (
            '<b>b<i>bi</i></b> <u>u</u> <s>s</s> <tg-spoiler>x</tg-spoiler> <code>c</code> 😀 '
            '<a href="https://example.com/?a=1&amp;b=2">l</a> &lt;&amp;&gt; <pre><code class="language-rust">r</code></pre>'
        )
        async with bot.session:
            preview = LinkPreviewOptions(is_disabled=True)
            message = await bot.send_message(customer.id, html, link_preview_options=preview)
            found = [(one.type, one.extract_from(message.text)) for one in message.entities]
            assert found == [
                ("bold", "bbi"), ("italic", "bi"), ("underline", "u"), ("strikethrough", "s"), ("spoiler", "x"),
                ("code", "c"), ("text_link", "l"), ("pre", "r"),
            ]
            assert (message.entities[6].url, message.entities[7].language) == ("https://example.com/?a=1&b=2", "rust")
            assert customer.view()["messages"][-1]["html"] == html
            assert message.has_protected_content and message.link_preview_options.is_disabled
            given = Text(Bold("b"), "😀", Italic("i"), " end").as_kwargs()
            message = await bot.send_message(customer.id, **{**given, "parse_mode": None})
            assert message.html_text == "<b>b</b>😀<i>i</i> end"
            reply = await message.reply("r")
            assert reply.reply_to_message.message_id == message.message_id
            assert await bot.delete_message(customer.id, reply.message_id)
            commands = [BotCommand(command="start", description="Begin")]
            assert await bot.set_my_commands(commands)
            assert [one.command for one in await bot.get_my_commands()] == ["start"]
            me = await bot.get_me()
            assert (me.username, me.is_bot) == (username, True)

    asyncio.run(trial())


def test_what_the_sandbox_does_not_know_is_refused(sandbox):
    async def trial():
        bot, _ = make_bot(sandbox)
        async with bot.session:
            certificate = BufferedInputFile(b"pem", "cert.pem")
            with pytest.raises(TelegramBadRequest, match="certificate"):
                await bot.set_webhook("https://example.com/hook", certificate=certificate)
            with pytest.raises(TelegramBadRequest, match="business_connection_id"):
                await bot.send_message(1, "hi", business_connection_id="b")

    asyncio.run(trial())
