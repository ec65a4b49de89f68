import { defineCommand } from 'citty'
import { bulk } from './commands/bulk.ts'
import { completion } from './commands/completion.ts'
import { counts } from './commands/counts.ts'
import { deliveries } from './commands/deliveries.ts'
import { doctor } from './commands/doctor.ts'
import { events } from './commands/events.ts'
import { jobs } from './commands/jobs.ts'
import { login } from './commands/login.ts'
import { logout } from './commands/logout.ts'
import { open } from './commands/open.ts'
import { submit } from './commands/submit.ts'
import { token } from './commands/token.ts'
import { verify } from './commands/verify.ts'
import { watch } from './commands/watch.ts'
import { webhooks } from './commands/webhooks.ts'
import { whoami } from './commands/whoami.ts'

export const root = defineCommand({
  meta: { name: 'tidings', description: 'Submit and watch background jobs, manage webhooks and receive them here' },
  subCommands: {
    login,
    logout,
    whoami,
    token,
    open,
    submit,
    watch,
    jobs,
    counts,
    events,
    webhooks,
    deliveries,
    bulk,
    verify,
    doctor,
    completion
  }
})
