import { render } from 'preact'
import { Page } from './app/page.js'
import './theme.css'
import './base.css'
import './parts/parts.css'
import './app/app.css'
import './chats/chats.css'
import './people/people.css'
import './room/room.css'
import './room/history.css'
import './room/message.css'
import './room/composer.css'

const root = document.querySelector('#page')
if (root) render(<Page />, root)
