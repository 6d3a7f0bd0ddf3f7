// Drives a server with the official client, unmodified: node drive.cjs <address> <key>; what it saw is JSON on stdout.
const { Client, getLagoError } = require("lago-javascript-client");

const [, , address, key] = process.argv;
const client = Client(key, { baseUrl: `${address}/api/v1`, rateLimitRetry: { retryOnRateLimit: true, maxRetries: 3 } });

async function seen(call) {
  try {
    const answer = await call;
    return { status: answer.status, data: answer.data };
  } catch (error) {
    return { status: error.status, error: await getLagoError(error) };
  }
}

const usage = (id, value, more = {}) => ({
  event: {
    transaction_id: id,
    external_subscription_id: "js-sub",
    code: "js_calls",
    timestamp: Date.now() / 1000,
    properties: { value },
    ...more,
  },
});

async function main() {
  const saw = {};
  saw.metric = await seen(
    client.billableMetrics.createBillableMetric({
      billable_metric: { name: "Calls", code: "js_calls", aggregation_type: "sum_agg", field_name: "value", recurring: false },
    }),
  );
  saw.metrics = await seen(client.billableMetrics.findAllBillableMetrics({ per_page: 1 }));
  saw.plan = await seen(
    client.plans.createPlan({
      plan: {
        name: "Basic",
        code: "js_basic",
        interval: "monthly",
        amount_cents: 3000,
        amount_currency: "CAD",
        pay_in_advance: false,
        charges: [
          {
            billable_metric_id: saw.metric.data?.billable_metric.lago_id,
            charge_model: "standard",
            pay_in_advance: false,
            properties: { amount: "0.05" },
          },
        ],
      },
    }),
  );
  saw.foundPlan = await seen(client.plans.findPlan("js_basic"));
  saw.customer = await seen(
    client.customers.createCustomer({ customer: { external_id: "js-customer", name: "Ada", currency: "CAD" } }),
  );
  saw.foundCustomer = await seen(client.customers.findCustomer("js-customer"));
  saw.subscription = await seen(
    client.subscriptions.createSubscription({
      subscription: { external_customer_id: "js-customer", plan_code: "js_basic", external_id: "js-sub", billing_time: "calendar" },
    }),
  );
  saw.subscriptions = await seen(client.subscriptions.findAllSubscriptions({ external_customer_id: "js-customer" }));
  saw.event = await seen(client.events.createEvent(usage("js-1", 12.5)));
  saw.again = await seen(client.events.createEvent(usage("js-1", 12.5)));
  saw.batch = await seen(
    client.events.createBatchEvents({ events: [usage("js-2", 7).event, usage("js-3", "0.5").event] }),
  );
  saw.foundEvent = await seen(client.events.findEvent("js-1"));
  saw.events = await seen(client.events.findAllEvents({ external_subscription_id: "js-sub" }));
  saw.estimate = await seen(client.events.eventEstimateFees(usage("js-4", 1)));
  saw.usage = await seen(
    client.customers.findCustomerCurrentUsage("js-customer", { external_subscription_id: "js-sub" }),
  );
  saw.pastUsage = await seen(
    client.customers.findAllCustomerPastUsage("js-customer", { external_subscription_id: "js-sub" }),
  );
  saw.fees = await seen(client.fees.findAllFees({}));
  saw.invoices = await seen(client.invoices.findAllInvoices({}));
  saw.tried = await seen(
    client.billableMetrics.evaluateBillableMetricExpression({
      expression: "round(event.properties.value)",
      event: { code: "js_calls", timestamp: 1711000000, properties: { value: "2.6" } },
    }),
  );
  saw.charges = await seen(client.plans.findAllPlanCharges("js_basic"));
  saw.charge = await seen(client.subscriptions.findSubscriptionCharge("js-sub", "js_calls"));
  saw.metadata = await seen(client.plans.replacePlanMetadata("js_basic", { metadata: { team: "a" } }));
  saw.merged = await seen(client.plans.mergePlanMetadata("js_basic", { metadata: { tier: "b" } }));
  saw.alert = await seen(
    client.subscriptions.createSubscriptionAlert("js-sub", {
      alert: { alert_type: "current_usage_amount", code: "spend", thresholds: [{ value: 1000, recurring: false }] },
    }),
  );
  saw.alerts = await seen(client.subscriptions.getSubscriptionAlerts("js-sub"));
  saw.noAlerts = await seen(client.subscriptions.deleteAllSubscriptionAlerts("js-sub"));
  saw.customerSubscriptions = await seen(client.customers.findAllCustomerSubscriptions("js-customer"));
  saw.customerInvoices = await seen(client.customers.findAllCustomerInvoices("js-customer"));
  saw.fixed = await seen(client.plans.findAllPlanFixedCharges("js_basic"));
  saw.wallets = await seen(client.wallets.findAllWallets({ external_customer_id: "js-customer" }));
  saw.missing = await seen(client.customers.findCustomer("nobody"));
  saw.ended = await seen(client.subscriptions.destroySubscription("js-sub"));
  console.log(JSON.stringify(saw));
}

main();
