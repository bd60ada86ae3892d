{{- define "tidegate.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "tidegate.labels" -}}
app.kubernetes.io/name: tidegate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What the service and the migration have in common. */}}
{{- define "tidegate.pod" -}}
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: home
    persistentVolumeClaim:
      claimName: {{ .Values.home.existingClaim | default (printf "%s-home" .Release.Name) }}
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "tidegate.container" -}}
image: {{ include "tidegate.image" . }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - secretRef: {name: {{ .Values.secretName }}}
env:
  - {name: TIDEGATE_TRUSTED_PROXIES, value: {{ .Values.trustedProxies | quote }}}
  - {name: TIDEGATE_IS_LIVE, value: {{ .Values.live | quote }}}
  {{- range $name, $value := .Values.settings }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
volumeMounts:
  - {name: home, mountPath: /var/lib/tidegate}
  - {name: tmp, mountPath: /tmp}
{{- end }}
