/** @odoo-module **/
// What Discuss of 19.0 needs for consultations is in discuss.19.js; earlier series need nothing.
