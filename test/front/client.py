"""A stock python-socketio client that sends with a key, and the same key again until it is acked, until its stdin ends."""
import json
import os
import sys
import threading
import time

import socketio

url, token, mode, chat_id, name = sys.argv[1:]
transports = {'upgrade': ['polling', 'websocket']}.get(mode, [mode])
sio = socketio.Client(reconnection_delay=0.2, reconnection_delay_max=1)
stopping = threading.Event()
counts = {'sent': 0, 'acked': 0, 'connects': 0, 'draining': 0, 'failed': 0}


@sio.on('session')
def on_session(_):
    counts['connects'] += 1


threading.Thread(target=lambda: (sys.stdin.read(), stopping.set()), daemon=True).start()
for _ in range(20):
    try:
        sio.connect(url, auth={'token': token}, transports=transports)
        break
    except socketio.exceptions.ConnectionError:
        time.sleep(0.5)

given_up = time.time() + 120
while not stopping.is_set() and time.time() < given_up:
    counts['sent'] += 1
    key = f"{name}-{counts['sent']}"
    body = {'chatId': chat_id, 'content': key, 'clientMessageId': key}
    while time.time() < given_up:
        try:
            answer = sio.call('send_message', body, timeout=6)
        except Exception:
            time.sleep(0.05)
            continue
        if answer['ok']:
            counts['acked'] += 1
            break
        counts['draining'] += answer['error']['code'] == 'DRAINING'
        if not answer['error']['retryable']:
            counts['failed'] += 1
            break
        time.sleep(0.05)
    time.sleep(0.05)
print(json.dumps(counts), flush=True)
# Threads of a client that reconnects may hold the process.
os._exit(0)
