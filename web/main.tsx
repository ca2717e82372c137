import { render } from 'preact'
import './theme.css'
import './base.css'
import './parts/parts.css'

const root = document.querySelector('#page')
if (root) render(<p>…</p>, root)
