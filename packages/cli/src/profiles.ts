import { homedir } from 'node:os'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** A server and the tokens for it, under a name. */
export interface Profile {
  url: string
  token?: string | undefined
  refreshToken?: string | undefined
}

interface Config {
  /** The profile that is used where none is named. */
  current?: string | undefined
  profiles: Record<string, Profile>
}

export const configPath = () =>
  join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'tidings', 'config.json')

/** Files that remember where `webhooks listen` was. */
export const stateFolder = () =>
  join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'tidings')

export async function readConfig (): Promise<Config> {
  const config = await readPrivateFile(configPath()) as Partial<Config> | undefined
  const profiles = config?.profiles ?? {}
  for (const [name, profile] of Object.entries(profiles)) {
    if (typeof profile?.url !== 'string') throw new Error(`${configPath()}: the profile ${name} has no url`)
  }
  return { current: config?.current, profiles }
}

/** Adds or replaces a profile, and makes it the current one. */
export async function saveProfile (name: string, profile: Profile): Promise<void> {
  const { profiles } = await readConfig()
  await writePrivateFile(configPath(), { current: name, profiles: { ...profiles, [name]: profile } })
}

/** Keeps new tokens of a profile, where it still exists. */
export async function saveTokens (name: string, tokens: Pick<Profile, 'token' | 'refreshToken'>): Promise<void> {
  const { current, profiles } = await readConfig()
  const profile = profiles[name]
  if (!profile) return
  await writePrivateFile(configPath(), { current, profiles: { ...profiles, [name]: { ...profile, ...tokens } } })
}

/** Whether there was one. */
export async function removeProfile (name: string): Promise<boolean> {
  const { current, profiles: { [name]: removed, ...profiles } } = await readConfig()
  if (!removed) return false
  await writePrivateFile(configPath(), { ...(current !== name && { current }), profiles })
  return true
}
