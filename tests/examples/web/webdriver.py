# SPDX-License-Identifier: LGPL-2.1-or-later
"""A browser that a test drives: Debian's chromedriver, over the WebDriver protocol, with nothing but
Python's standard library. https://www.w3.org/TR/webdriver2/"""
import atexit
import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'  # the name of a reference in the protocol


def is_installed():
    return bool(shutil.which('chromedriver') and shutil.which('chromium'))


class Browser:
    def __init__(self, folder, width, height):
        self.log = open(folder + '/chromedriver.log', 'w+', encoding='utf-8')
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=self.log, stderr=self.log)
        atexit.register(self.driver.terminate)  # should the test end before it does
        self.session = ''
        self.base = f'http://127.0.0.1:{self._port()}'
        options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                   '--autoplay-policy=no-user-gesture-required', f'--user-data-dir={folder}/chromium',
                   f'--window-size={width},{height}', '--force-device-scale-factor=1', '--mute-audio']
        made = self.call('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:loggingPrefs': {'browser': 'ALL'},
            'goog:chromeOptions': {'args': options, 'binary': shutil.which('chromium')}}}})
        self.session = '/session/' + made['sessionId']
        self.call('POST', '/timeouts', {'script': 60000, 'pageLoad': 60000})

    def _port(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with open(self.log.name, encoding='utf-8') as log:
                found = re.search(r'started successfully on port (\d+)', log.read())
            if found:
                return int(found.group(1))
            assert self.driver.poll() is None, 'chromedriver ended'
            time.sleep(0.05)
        raise AssertionError('chromedriver does not say its port')

    def call(self, method, path, body=None):
        data = json.dumps(body).encode() if method == 'POST' else None
        request = urllib.request.Request(self.base + self.session + path, data, method=method,
                                         headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise AssertionError(f'{path}: {error.read().decode()[:800]}') from error

    def open(self, url):
        self.call('POST', '/url', {'url': url})

    def run(self, script, *args):
        return self.call('POST', '/execute/sync', {'script': script, 'args': list(args)})

    def wait_for(self, what, script, *args, seconds=60):
        """Until the script returns something true; that is returned."""
        end = time.monotonic() + seconds
        while True:
            value = self.run(script, *args)
            if value:
                return value
            assert time.monotonic() < end, f'{what}: not after {seconds} s; the page says:\n{self.text()}'
            time.sleep(0.1)

    def click(self, selector):
        found = self.call('POST', '/element', {'using': 'css selector', 'value': selector})
        self.call('POST', f'/element/{found[ELEMENT]}/click', {})

    def press(self, key):
        """A key, on whatever has the focus."""
        self.call('POST', '/actions', {'actions': [{'type': 'key', 'id': 'keyboard', 'actions': [
            {'type': 'keyDown', 'value': key}, {'type': 'keyUp', 'value': key}]}]})

    def devtools(self, command, **params):
        return self.call('POST', '/goog/cdp/execute', {'cmd': command, 'params': params})

    def text(self):
        return self.run('return document.body.innerText')

    def screenshot(self, path):
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.call('GET', '/screenshot')))

    def errors(self):
        """What the page complained about since the last time: scripts, policy; not the network."""
        entries = self.call('POST', '/se/log', {'type': 'browser'})
        return [e['message'] for e in entries if e['level'] == 'SEVERE' and e['source'] != 'network']

    def close(self):
        try:
            if self.session:
                self.call('DELETE', '')
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.log.close()
