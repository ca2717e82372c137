"""The line protocol for chat.py. Usage: python3 client.py"""
import json
import os
import sys

# What is imported leaves no folder beside the sources.
sys.dont_write_bytecode = True
import chat


def line_of(message):
    reactions = {reaction['emoji']: reaction['count'] for reaction in message['reactions']}
    line = {field: message[field] for field in ('id', 'seq', 'content')}
    return {**line, 'deleted': message['deletedAt'] is not None, 'reactions': reactions}


def chat_of(room):
    messages = [room['messages'][seq] for seq in sorted(room['messages'])]
    unread = [m for m in messages if m['seq'] > room['read'] and m['sender']['userId'] != chat.me and not m['deletedAt']]
    counts = {'revision': room['revision'], 'lastReadSeq': room['read'], 'unread': len(unread)}
    return {**counts, 'messages': [line_of(message) for message in messages]}


def dump():
    with chat.lock:
        return {
            'connection': chat.state,
            'chats': {chat_id: chat_of(room) for chat_id, room in chat.rooms.items() if room['revision'] > 0},
            'waiting': [item['key'] for item in chat.outbox if not item['error']],
            'failed': {item['key']: {'code': item['error'], 'content': item['content']} for item in chat.outbox if item['error']},
        }


COMMANDS = {
    'connect': lambda line: chat.connect(line['url'], line['token']),
    'token': lambda line: chat.connect(chat.url, line['token']),
    'open': lambda line: chat.open_chat(line['chatId']),
    'send': lambda line: chat.send(line['chatId'], line['key'], line['content']),
    'read': lambda line: chat.read(line['chatId'], line['upToSeq']),
    'edit': lambda line: chat.sio.emit('edit_message', {'messageId': line['messageId'], 'content': line['content']}),
    'react': lambda line: chat.sio.emit('add_reaction', {'messageId': line['messageId'], 'emoji': line['emoji']}),
}


def say(line):
    print(json.dumps(line), flush=True)


say({'ready': True})
for text in sys.stdin:
    order = json.loads(text)
    if order['do'] == 'dump':
        say({'done': order['id'], 'state': dump()})
    else:
        COMMANDS[order['do']](order)
        say({'done': order['id']})
# Threads of a client that reconnects may hold the process.
os._exit(0)
