"""The line protocol for a client on python-socketio: rooms by revisions, an outbox with keys, marks, tokens. Usage: python3 client.py"""
import json
import os
import sys
import threading
import time

import socketio

LOGGED = ['new_message', 'message_updated', 'message_deleted', 'member_changed', 'chat_updated', 'messages_expired']
MAX_BYTES = 256 * 1024 - 1024
lock = threading.RLock()
wake = threading.Event()
rooms, reads, opened, outbox = {}, {}, set(), []
session, closing, state, url, token, tries = None, None, 'connecting', '', '', 0
# It comes back by itself only from what it takes for an accident: one loop of ours does it for all.
sio = socketio.Client(reconnection=False, handle_sigint=False)


class Refused(Exception):
    def __init__(self, error):
        super().__init__(error.get('code'))
        self.code = error.get('code')
        self.retryable = error['retryable']
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


def mark(chat_id, seq):
    if chat_id in rooms:
        rooms[chat_id]['read'] = max(rooms[chat_id]['read'], seq)


def put(room, message):
    known = room['messages'].get(message['seq'])
    if message['seq'] < room['first'] or known and known['revision'] >= message['revision']:
        return
    room['messages'][message['seq']] = message
    if message['sender']['userId'] == session['user']['userId']:
        mark(message['chatId'], message['seq'])


def expire(room, through):
    room['first'] = max(room['first'], through + 1)
    room['messages'] = {seq: message for seq, message in room['messages'].items() if seq > through}


def hear(event, payload):
    with lock:
        room = rooms.get(payload['chatId'])
        if not room or payload['revision'] <= room['revision']:
            return
        room['head'] = max(room['head'], payload['revision'])
        # A hole, or the worker has asked already: it goes on until the head is reached.
        if payload['revision'] == room['revision'] + 1 and not room['busy']:
            room['revision'] = payload['revision']
            if event == 'messages_expired':
                expire(room, payload['throughSeq'])
            elif 'seq' in payload:
                put(room, payload)
    wake.set()


for name in LOGGED:
    sio.on(name, lambda payload, name=name: hear(name, payload))


def enter(chat):
    rooms[chat['chatId']] = {'revision': 0, 'head': chat['revision'], 'first': 1, 'read': chat['lastReadSeq'], 'messages': {}, 'busy': False}


@sio.on('session')
def on_session(fresh):
    global session, closing, state, tries
    with lock:
        session, closing, tries = fresh, None, 0
        chats = {chat['chatId']: chat for chat in fresh['chats']}
        for chat_id in list(rooms):
            if chat_id in chats:
                mark(chat_id, chats[chat_id]['lastReadSeq'])
                rooms[chat_id]['head'] = max(rooms[chat_id]['head'], chats[chat_id]['revision'])
            else:
                del rooms[chat_id]
        for chat_id in opened:
            if chat_id in chats and chat_id not in rooms:
                enter(chats[chat_id])
        state = 'online'
    wake.set()


@sio.on('chat_added')
def on_added(chat):
    with lock:
        session['chats'] = [other for other in session['chats'] if other['chatId'] != chat['chatId']] + [chat]
        if chat['chatId'] in rooms:
            rooms[chat['chatId']]['head'] = max(rooms[chat['chatId']]['head'], chat['revision'])
        elif chat['chatId'] in opened:
            enter(chat)
    wake.set()


@sio.on('chat_removed')
def on_removed(removed):
    with lock:
        room = rooms.get(removed['chatId'])
        if not room or removed['revision'] > room['revision']:
            session['chats'] = [chat for chat in session['chats'] if chat['chatId'] != removed['chatId']]
            rooms.pop(removed['chatId'], None)


@sio.on('messages_read')
def on_read(payload):
    with lock:
        if payload['userId'] == session['user']['userId']:
            mark(payload['chatId'], payload['lastReadSeq'])


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
def on_disconnect():
    global state
    state = 'offline'
    if closing:
        end(closing)


def end(why):
    """Stays away where the server says that coming back is no use."""
    global state
    if why and not why['retryable']:
        state = 'needs-token' if why['code'] in ('TOKEN_EXPIRED', 'UNAUTHENTICATED') else 'refused'


def catch_up(chat_id, room):
    if room['revision'] == 0:
        return load(chat_id, room)
    answer = command('sync', {'chats': {chat_id: room['revision']}})['chats'][chat_id]
    with lock:
        if answer.get('gone'):
            if rooms.get(chat_id) is room:
                del rooms[chat_id]
            return
        if not answer.get('reset'):
            for change in answer['changes']:
                if change['type'] == 'messages_expired':
                    expire(room, change['throughSeq'])
                elif change.get('message'):
                    put(room, change['message'])
            room['revision'] = max(room['revision'], answer['through'])
            room['head'] = max(room['head'], answer['head'])
            return
    load(chat_id, room)


def load(chat_id, room):
    page = command('get_messages', {'chatId': chat_id, 'limit': 50})
    with lock:
        room['messages'] = {message['seq']: message for message in page['messages']}
        room['first'] = page['messages'][0]['seq'] if page['messages'] else 1
        room['revision'] = page['revision']


def flush_one():
    item = next((item for item in outbox if not item['error']), None)
    if not item:
        return False
    if len(item['content'].encode()) > MAX_BYTES:
        item['error'] = 'PAYLOAD_TOO_LARGE'
        return True
    try:
        message = command('send_message', {'chatId': item['chatId'], 'content': item['content'], 'clientMessageId': item['key']})['message']
    except Refused as refusal:
        if refusal.retryable:
            raise
        item['error'] = refusal.code
        return True
    with lock:
        outbox.remove(item)
        if item['chatId'] in rooms:
            put(rooms[item['chatId']], message)
    return True


def step():
    """One thing that is to be asked of the server; False when there is none."""
    with lock:
        behind = next(((chat_id, room) for chat_id, room in rooms.items() if room['revision'] < room['head']), None)
        if behind:
            behind[1]['busy'] = True
    if behind:
        try:
            catch_up(*behind)
        finally:
            behind[1]['busy'] = False
        return True
    for chat_id, seq in list(reads.items()):
        command('mark_as_read', {'chatId': chat_id, 'upToSeq': seq})
        if reads.get(chat_id) == seq:
            del reads[chat_id]
        return True
    return flush_one()


def work():
    """The one who asks: one command at a time, so that the order of sends is kept."""
    while True:
        try:
            if state == 'online' and step():
                continue
        except Refused as refusal:
            time.sleep(refusal.wait)
            continue
        wake.wait(0.2)
        wake.clear()


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


def dump():
    with lock:
        me = session['user']['userId'] if session else None
        chats = {}
        for chat_id, room in rooms.items():
            messages = [room['messages'][seq] for seq in sorted(room['messages'])]
            unread = [m for m in messages if m['seq'] > room['read'] and m['sender']['userId'] != me and not m['deletedAt']]
            lines = [
                {'id': m['id'], 'seq': m['seq'], 'content': m['content'], 'deleted': m['deletedAt'] is not None,
                 'reactions': {r['emoji']: r['count'] for r in m['reactions']}}
                for m in messages
            ]
            chats[chat_id] = {'revision': room['revision'], 'lastReadSeq': room['read'], 'unread': len(unread), 'messages': lines}
        return {
            'connection': state,
            'chats': chats,
            'waiting': [item['key'] for item in outbox if not item['error']],
            'failed': {item['key']: item['error'] for item in outbox if item['error']},
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
        with lock:
            opened.add(line['chatId'])
            chat = next((chat for chat in (session or {'chats': []})['chats'] if chat['chatId'] == line['chatId']), None)
            if chat and line['chatId'] not in rooms:
                enter(chat)
    elif do == 'send':
        outbox.append({'key': line['key'], 'chatId': line['chatId'], 'content': line['content'], 'error': None})
    elif do == 'read':
        with lock:
            reads[line['chatId']] = max(reads.get(line['chatId'], 0), line['upToSeq'])
            mark(line['chatId'], line['upToSeq'])
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
