"""A stock python-socketio client that sends with a key, and the same key again until it is acked, until its stdin ends.

With a last argument, how many seconds it may take, it also tells every send, and the revisions that it started after and saw.
"""
import json
import os
import sys
import threading
import time

import socketio

url, token, mode, chat_id, name, *patience = sys.argv[1:]
transports = {'upgrade': ['polling', 'websocket']}.get(mode, [mode])
sio = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1)
stopping = threading.Event()
counts = {'sent': 0, 'acked': 0, 'connects': 0, 'draining': 0, 'failed': 0, 'duplicates': 0}
sends, starts, seen = [], [], []


@sio.on('session')
def on_session(session):
    counts['connects'] += 1
    starts.extend(chat['revision'] for chat in session['chats'] if chat['chatId'] == chat_id)


def on_event(event):
    if event['chatId'] == chat_id:
        seen.append(event['revision'])


for event in ['new_message', 'message_updated', 'message_deleted', 'member_changed', 'chat_updated']:
    sio.on(event, on_event)


threading.Thread(target=lambda: (sys.stdin.read(), stopping.set()), daemon=True).start()
for _ in range(20):
    try:
        sio.connect(url, auth={'token': token}, transports=transports)
        break
    except socketio.exceptions.ConnectionError:
        time.sleep(0.5)

given_up = time.time() + float(patience[0] if patience else 120)
while not stopping.is_set() and time.time() < given_up:
    counts['sent'] += 1
    key = f"{name}-{counts['sent']}"
    body = {'chatId': chat_id, 'content': key, 'clientMessageId': key}
    send = {'key': key, 'attempts': 0}
    sends.append(send)
    while time.time() < given_up:
        send['attempts'] += 1
        try:
            answer = sio.call('send_message', body, timeout=6)
        except Exception:
            time.sleep(0.05)
            continue
        if answer['ok']:
            counts['acked'] += 1
            counts['duplicates'] += answer['data']['duplicate']
            message = answer['data']['message']
            send['ack'] = {'id': message['id'], 'seq': message['seq'], 'revision': message['revision'], 'duplicate': answer['data']['duplicate']}
            break
        counts['draining'] += answer['error']['code'] == 'DRAINING'
        if not answer['error']['retryable']:
            counts['failed'] += 1
            break
        time.sleep(0.05)
    time.sleep(0.05)
if patience:
    counts.update(sends=sends, starts=starts, seen=seen)
print(json.dumps(counts), flush=True)
# Threads of a client that reconnects may hold the process.
os._exit(0)
