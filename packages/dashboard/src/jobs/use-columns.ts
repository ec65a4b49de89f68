import { useMemo } from 'react'
import { createStoredText, useStored } from '../lib/stored.ts'
import { COLUMNS } from './columns.tsx'

const KEYS = COLUMNS.map(({ key }) => key)
/** The keys of the columns that one sees who has chosen nothing. */
export const USUAL = 'name,state,progress,id,queue,duration,created'

/** Columns as this browser, or a link that somebody has sent, names them; undefined where no known one is named. */
function parseColumns (text: string): string | undefined {
  const named = text.split(',')
  const known = KEYS.filter((key, index) => index === 0 || named.includes(key))
  return known.length > 1 ? known.join(',') : undefined
}

export const columnsChoice = createStoredText('job-columns', parseColumns, USUAL)

/** The columns of the list: those of the link, as long as its address has them, else those of this browser. */
export function useColumns (search: string) {
  const chosen = useStored(columnsChoice)
  const shared = parseColumns(new URLSearchParams(search).get('columns') ?? '')
  const text = shared ?? chosen
  return useMemo(() => {
    const keys = text.split(',')
    return { text, keys, isShared: shared !== undefined, columns: COLUMNS.filter(({ key }) => keys.includes(key)) }
  }, [text, shared])
}
