// reinforce.js: nasviz/strategies/reinforce.py, draw for draw: Zoph & Le 2017, section 3.2. Uses controller.js, batch.js.

const DECAY = 0.9; // weight of the past in the moving average of the rewards

/** Yields steps with `policy` (the batch's mean probabilities), `mine` (this one's) and `baseline`; nothing while it works. */
function* reinforce({ ask, evaluations, batch: size, lr, baseline, entropy }, draws, seed) {
  const controller = new Controller(seed);
  let average = NaN; // of the batches' mean rewards
  for (let number = 0; number < evaluations; ) {
    const batch = yield* controller.sample(Math.min(size, evaluations - number), draws);
    const b = baseline ? average : 0;
    const rewards = [];
    const policy = batch.marginals();
    for (let k = 0; k < batch.count; k++) {
      const answer = ask(batch.arch(k), number + k);
      rewards.push(answer.value);
      yield { arch: batch.arch(k), policy, mine: batch.policy(k), baseline: b, ...answer };
    }
    number += batch.count;
    const mean = rewards.reduce((sum, one) => sum + one) / batch.count;
    const less = Number.isFinite(b) ? b : mean; // no batch came before: its own mean
    const advantages = rewards.map((one) => one - less);
    if (number < evaluations) yield* controller.learn(batch, advantages, lr, entropy);
    average = Number.isFinite(average) ? DECAY * average + (1 - DECAY) * mean : mean;
  }
}
