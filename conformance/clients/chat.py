"""A client on python-socketio: rooms by revisions, an outbox with keys, marks, tokens. `state` tells how it is connected."""
import json
import threading
import time

import socketio

CHANGES = ['new_message', 'message_updated', 'message_deleted', 'member_changed', 'chat_updated']
MAX_BYTES = 255 * 1024
lock = threading.RLock()
wake = threading.Event()
rooms, outbox = {}, []
me, closing, state, url, token, tries = None, None, 'connecting', '', '', 0
# It comes back by itself only from what it takes for an accident: one loop of ours does it for all.
sio = socketio.Client(reconnection=False, handle_sigint=False)


class Refused(Exception):
    def __init__(self, error):
        super().__init__(error.get('code'))
        self.code, self.retryable = error.get('code'), error.get('retryable', False)
        self.wait = error.get('retryAfterMs', 300) / 1000


def command(name, payload):
    if state != 'online':
        raise Refused({'retryable': True})
    try:
        answer = sio.call(name, payload, timeout=5)
    except Exception:
        raise Refused({'retryable': True, 'retryAfterMs': 50})
    if not answer['ok']:
        raise Refused(answer['error'])
    return answer['data']


def enter(chat_id):
    """The room anew: it is loaded, if one is in it."""
    rooms[chat_id] = {'id': chat_id, 'revision': 0, 'head': 1, 'first': 1, 'messages': {}, 'read': 0, 'told': 0}


def mark(room, seq):
    room.update(read=max(room['read'], seq), told=max(room['told'], seq))


def put(room, message):
    known = room['messages'].get(message['seq'])
    if message['seq'] < room['first'] or known and known['revision'] >= message['revision']:
        return
    room['messages'][message['seq']] = message
    if message['sender']['userId'] == me:
        mark(room, message['seq'])


def expire(room, through):
    room['first'] = max(room['first'], through + 1)
    room['messages'] = {seq: message for seq, message in room['messages'].items() if seq > through}


def on(name):
    """Hears an event under the lock; the worker looks afterwards whether there is something to ask."""
    def register(handler):
        def handle(*args):
            with lock:
                handler(*args)
            wake.set()
        sio.on(name, handle)
        return handler
    return register


def hear(payload, apply):
    room = rooms.get(payload['chatId'])
    if not room or payload['revision'] <= room['revision']:
        return
    room['head'] = max(room['head'], payload['revision'])
    # Whatever is above is a hole, and asked for.
    if payload['revision'] == room['revision'] + 1:
        room['revision'] = payload['revision']
        apply(room)


for event in CHANGES:
    on(event)(lambda change: hear(change, lambda room: 'seq' in change and put(room, change)))
on('messages_expired')(lambda change: hear(change, lambda room: expire(room, change['throughSeq'])))


@on('session')
def on_session(session):
    global me, closing, state, tries
    me, closing, state, tries = session['user']['userId'], None, 'online', 0
    chats = {chat['chatId']: chat for chat in session['chats']}
    for chat_id, room in list(rooms.items()):
        if chat_id not in chats:
            enter(chat_id)
            continue
        mark(room, chats[chat_id]['lastReadSeq'])
        room['head'] = max(room['head'], chats[chat_id]['revision'])


@on('chat_added')
def on_added(chat):
    room = rooms.get(chat['chatId'], {'head': 0})
    room['head'] = max(room['head'], chat['revision'])


@on('chat_removed')
def on_removed(removed):
    if removed['chatId'] in rooms and removed['revision'] > rooms[removed['chatId']]['revision']:
        enter(removed['chatId'])


@on('messages_read')
def on_read(payload):
    if payload['userId'] == me and payload['chatId'] in rooms:
        mark(rooms[payload['chatId']], payload['lastReadSeq'])


@on('closing')
def on_closing(why):
    global closing
    closing = why


sio.on('token_expiring', lambda _payload: sio.emit('refresh_token', {'token': token}))
sio.on('connect_error', lambda data: end(data.get('data') if isinstance(data, dict) else None))
sio.on('disconnect', lambda *_reason: end(closing))


def end(why):
    global state
    state = 'offline'
    if why and not why['retryable']:
        state = 'needs-token' if why['code'] in ('TOKEN_EXPIRED', 'UNAUTHENTICATED') else 'refused'


def catch_up(room):
    if room['revision'] == 0:
        return load(room)
    answer = command('sync', {'chats': {room['id']: room['revision']}})['chats'][room['id']]
    if answer.get('reset'):
        return load(room)
    with lock:
        if answer.get('gone'):
            return enter(room['id'])
        for change in answer['changes']:
            if change['type'] == 'messages_expired':
                expire(room, change['throughSeq'])
            elif change.get('message'):
                put(room, change['message'])
        room['revision'] = max(room['revision'], answer['through'])
        room['head'] = max(room['head'], answer['head'])


def load(room):
    chat = command('get_chat', {'chatId': room['id']})['chat']
    page = command('get_messages', {'chatId': room['id'], 'limit': 50})
    with lock:
        room['messages'] = {message['seq']: message for message in page['messages']}
        room['first'] = page['messages'][0]['seq'] if page['messages'] else 1
        room['revision'] = page['revision']
        mark(room, chat['lastReadSeq'])


def tell_read(room):
    up_to = room['read']
    command('mark_as_read', {'chatId': room['id'], 'upToSeq': up_to})
    room['told'] = max(room['told'], up_to)


def deliver(item):
    payload = {'chatId': item['chatId'], 'content': item['content'], 'clientMessageId': item['key']}
    if len(json.dumps(payload, ensure_ascii=False).encode()) > MAX_BYTES:
        raise Refused({'code': 'PAYLOAD_TOO_LARGE'})
    message = command('send_message', payload)['message']
    with lock:
        outbox.remove(item)
        if item['chatId'] in rooms:
            put(rooms[item['chatId']], message)


def next_task():
    """What is to be asked of the server, on what, and what it means that it is refused for good."""
    with lock:
        for room in rooms.values():
            if room['revision'] < room['head']:
                return catch_up, room, lambda _code: room.update(head=room['revision'])
            if room['told'] < room['read']:
                return tell_read, room, lambda _code: room.update(told=room['read'])
        item = next((item for item in outbox if not item['error']), None)
        return item and (deliver, item, lambda code: item.update(error=code))


def work():
    """The one who asks: one command at a time, so that the order of sends is kept."""
    while True:
        task = state == 'online' and next_task()
        if not task:
            wake.wait(0.2)
            wake.clear()
            continue
        ask, subject, give_up = task
        try:
            ask(subject)
        except Refused as refusal:
            time.sleep(refusal.wait) if refusal.retryable else give_up(refusal.code)


def stay_connected():
    """Comes back, a little later each time, while nobody has said that it is no use."""
    global tries
    while True:
        if url and not sio.connected and state in ('connecting', 'offline'):
            tries += 1
            try:
                sio.connect(url, auth={'token': token}, transports=['websocket'])
            except Exception:
                pass
        time.sleep(min(0.1 * max(tries, 1), 1))


def connect(address, fresh):
    """Also takes a new token, with which it comes back where the last one was over."""
    global url, token, state
    token, url = fresh, address
    if state == 'needs-token':
        state = 'offline'


def open_chat(chat_id):
    with lock:
        enter(chat_id)
    wake.set()


def send(chat_id, key, content):
    outbox.append({'key': key, 'chatId': chat_id, 'content': content, 'error': None})
    wake.set()


def read(chat_id, up_to):
    with lock:
        rooms[chat_id]['read'] = max(rooms[chat_id]['read'], up_to)
    wake.set()


for job in (work, stay_connected):
    threading.Thread(target=job, daemon=True).start()
