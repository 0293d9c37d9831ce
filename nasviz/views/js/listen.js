// listen.js: for widgets whose code comes late. Uses nothing.

/**
 * anywidget gives a widget up that is not there within two seconds, as happens on a busy machine, and from then on drops
 * all that the kernel tells it. This goes on listening in its place, and asks the kernel for what was dropped.
 * Call it in `initialize`; `late` is called if it has come to that, before the answer.
 */
const listen = (model, late = () => {}) => {
  const whole = model.set?.({}); // Backbone returns the model itself, which anywidget hides
  const silent = whole?._handle_comm_msg?.({ content: { data: {} } }); // a message without content: fails if given up
  silent?.catch(() => {
    const handle = Object.getPrototypeOf(whole.constructor.prototype)._handle_comm_msg; // without anywidget's condition
    whole.comm?.on_msg(handle.bind(whole));
    late();
    whole.comm?.send({ method: "request_state" }, {});
  });
};
