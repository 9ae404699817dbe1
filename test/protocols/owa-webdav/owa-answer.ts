/** The answer to cmd=freebusy in the shape of exchange.md §2.4. */
export function answerOf(...items: readonly (readonly [email: string, fbdata: string])[]): string {
  const of = items.map(([email, fbdata]) => `<a:item><a:displayname>${email}</a:displayname><a:email type="SMTP">${email}</a:email><a:type>1</a:type><a:fbdata>${fbdata}</a:fbdata></a:item>`);
  return `<a:response xmlns:a="WM"><a:recipients><a:item><a:displayname>All Attendees</a:displayname><a:type>1</a:type><a:fbdata>0</a:fbdata></a:item>${of.join('')}</a:recipients></a:response>`;
}
