// A real mail server for the tests: STARTTLS, sign-in, letters as JSON lines. Run in web/, where smtp-server is installed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { SMTPServer } = createRequire(join(process.cwd(), 'package.json'))('smtp-server');
const [certificate, key, secure] = process.argv.slice(2);
const server = new SMTPServer({
  secure: secure === 'smtps',
  cert: readFileSync(certificate),
  key: readFileSync(key),
  authMethods: ['PLAIN'],
  onAuth(auth, session, done) {
    const isGood = session.secure && auth.username === 'gate' && auth.password === 'EXAMPLE not a password';
    done(isGood ? null : new Error('wrong'), isGood ? { user: auth.username } : undefined);
  },
  onData(stream, session, done) {
    let text = '';
    stream.on('data', (part) => { text += part; });
    stream.on('end', () => {
      const { mailFrom, rcptTo } = session.envelope;
      console.log(JSON.stringify({ secure: session.secure, user: session.user, from: mailFrom.address, to: rcptTo.map((to) => to.address), text }));
      done(null, 'taken');
    });
  },
});
server.listen(0, '127.0.0.1', () => console.log(server.server.address().port));
server.on('error', () => {});
