import { render } from 'preact'
import { Page } from './app/page.js'
import './styles.css'

const root = document.querySelector('#page')
if (root) render(<Page />, root)
