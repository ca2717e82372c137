"""The line protocol for a client on python-socketio: rooms by revisions, an outbox with keys, marks, tokens. Usage: python3 client.py"""
import json
import os
import sys
import threading
import time

import socketio

CHANGES = ['new_message', 'message_updated', 'message_deleted', 'member_changed', 'chat_updated', 'messages_expired']
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
        self.code = error.get('code')
        self.retryable = error.get('retryable', False)
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
    room['read'] = max(room['read'], seq)
    room['told'] = max(room['told'], seq)


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


def hear(event, payload):
    with lock:
        room = rooms.get(payload['chatId'])
        if not room or payload['revision'] <= room['revision']:
            return
        room['head'] = max(room['head'], payload['revision'])
        if payload['revision'] == room['revision'] + 1:
            room['revision'] = payload['revision']
            if event == 'messages_expired':
                expire(room, payload['throughSeq'])
            elif 'seq' in payload:
                put(room, payload)
    wake.set()


for name in CHANGES:
    sio.on(name, lambda payload, name=name: hear(name, payload))


@sio.on('session')
def on_session(session):
    global me, closing, state, tries
    with lock:
        me, closing, tries = session['user']['userId'], None, 0
        chats = {chat['chatId']: chat for chat in session['chats']}
        for chat_id, room in list(rooms.items()):
            if chat_id in chats:
                mark(room, chats[chat_id]['lastReadSeq'])
                room['head'] = max(room['head'], chats[chat_id]['revision'])
            else:
                enter(chat_id)
        state = 'online'
    wake.set()


@sio.on('chat_added')
def on_added(chat):
    with lock:
        if chat['chatId'] in rooms:
            rooms[chat['chatId']]['head'] = max(rooms[chat['chatId']]['head'], chat['revision'])
    wake.set()


@sio.on('chat_removed')
def on_removed(removed):
    with lock:
        room = rooms.get(removed['chatId'])
        if room and removed['revision'] > room['revision']:
            enter(removed['chatId'])
    wake.set()


@sio.on('messages_read')
def on_read(payload):
    with lock:
        if payload['userId'] == me and payload['chatId'] in rooms:
            mark(rooms[payload['chatId']], payload['lastReadSeq'])


@sio.on('token_expiring')
def on_expiring(_payload):
    sio.emit('refresh_token', {'token': token})


@sio.on('closing')
def on_closing(why):
    global closing
    closing = why


@sio.on('connect_error')
def on_refused(data):
    end(data.get('data') if isinstance(data, dict) else None)


@sio.on('disconnect')
def on_disconnect(*_reason):
    end(closing)


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
            if refusal.retryable:
                time.sleep(refusal.wait)
            else:
                give_up(refusal.code)


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
            if state == 'offline' or tries > 1:
                time.sleep(min(0.1 * tries, 1))
        time.sleep(0.05)


def line_of(message):
    reactions = {reaction['emoji']: reaction['count'] for reaction in message['reactions']}
    line = {field: message[field] for field in ('id', 'seq', 'content')}
    return {**line, 'deleted': message['deletedAt'] is not None, 'reactions': reactions}


def chat_of(room):
    messages = [room['messages'][seq] for seq in sorted(room['messages'])]
    unread = [m for m in messages if m['seq'] > room['read'] and m['sender']['userId'] != me and not m['deletedAt']]
    counts = {'revision': room['revision'], 'lastReadSeq': room['read'], 'unread': len(unread)}
    return {**counts, 'messages': [line_of(message) for message in messages]}


def dump():
    with lock:
        return {
            'connection': state,
            'chats': {chat_id: chat_of(room) for chat_id, room in rooms.items() if room['revision'] > 0},
            'waiting': [item['key'] for item in outbox if not item['error']],
            'failed': {item['key']: {'code': item['error'], 'content': item['content']} for item in outbox if item['error']},
        }


def obey(line):
    global url, token, state
    do = line['do']
    if do == 'connect':
        token, url = line['token'], line['url']
    elif do == 'token':
        token = line['token']
        if state == 'needs-token':
            state = 'offline'
    elif do == 'open':
        enter(line['chatId'])
    elif do == 'send':
        outbox.append({'key': line['key'], 'chatId': line['chatId'], 'content': line['content'], 'error': None})
    elif do == 'read':
        room = rooms[line['chatId']]
        room['read'] = max(room['read'], line['upToSeq'])
    elif do == 'edit':
        sio.emit('edit_message', {'messageId': line['messageId'], 'content': line['content']})
    elif do == 'react':
        sio.emit('add_reaction', {'messageId': line['messageId'], 'emoji': line['emoji']})
    wake.set()


def say(line):
    print(json.dumps(line), flush=True)


for job in (work, stay_connected):
    threading.Thread(target=job, daemon=True).start()
say({'ready': True})
for text in sys.stdin:
    order = json.loads(text)
    if order['do'] == 'dump':
        say({'done': order['id'], 'state': dump()})
    else:
        obey(order)
        say({'done': order['id']})
# Threads of a client that reconnects may hold the process.
os._exit(0)
