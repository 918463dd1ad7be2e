import { ChatWindow } from "@mail/core/common/chat_window_model";
import { registerThreadAction } from "@mail/core/common/thread_actions";
import { Thread } from "@mail/core/common/thread_model";

import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";

// Closing the window of a consultation, or leaving it, hides it until the customer's next line. Odoo would ask whether
// to end it, and nothing ends: so nothing is asked.
patch(ChatWindow.prototype, {
    close(options = {}) {
        return super.close(this.thread?.is_consultation ? { ...options, force: true } : options);
    },
});

patch(Thread.prototype, {
    leaveChannel(options = {}) {
        return super.leaveChannel(this.is_consultation ? { ...options, force: true } : options);
    },
});

const isRunning = ({ thread }) => thread?.is_consultation && !thread.livechat_end_dt;

registerThreadAction("end-consultation", {
    condition: isRunning,
    icon: "fa fa-fw fa-flag-checkered",
    name: _t("End the consultation"),
    open: ({ store, thread }) => store.env.services.orm.call("discuss.channel", "execute_command_end", [[thread.id]]),
    sequence: 20,
    sequenceGroup: 7,
});

registry.category("discuss.channel_commands").add("end", {
    channel_types: ["livechat"],
    condition: isRunning,
    help: _t("End the consultation"),
    methodName: "execute_command_end",
});
